// Joins many rooms at once, each with the last message that was heard there: what a client that comes back says first.
import { toError } from 'fastify-ah-kit'
import type { Connection } from './connection.ts'
import { AH_ROOMS_TOO_MANY, AH_ROOMS_VERB } from './errors.ts'
import { positionIn } from './incoming.ts'
import type { Membership } from './membership.ts'
import { errorReply } from './outgoing.ts'
import { roomName } from './room-name.ts'
import { shown } from './shown.ts'

/** What it works with. */
export interface ResumeOptions {
  readonly membership: Pick<Membership, 'join'>
  readonly maxRooms: number
}

// How many are joined at a time: what was missed in one is heard before that of the next is fetched.
const mostAtOnce = 8

/** What became of each room, by its name. */
export async function resume(
  { membership, maxRooms }: ResumeOptions,
  connection: Connection,
  rooms: unknown,
): Promise<Record<string, unknown>> {
  if (typeof rooms !== 'object' || rooms === null || Array.isArray(rooms)) {
    throw new AH_ROOMS_VERB(`resume: expected rooms with their positions, got ${shown(rooms)}`)
  }
  const left = Object.entries(rooms)
  // An answer to each would be many times what was asked.
  if (left.length > maxRooms) throw new AH_ROOMS_TOO_MANY(maxRooms)
  const data = Object.create(null) as Record<string, unknown>
  const join = async (name: string, position: unknown): Promise<void> => {
    const room = roomName(name)
    const heard = positionIn(position)
    await connection.drained()
    await membership.join(connection, room, {
      onJoined: (joined) => {
        data[room] = joined
        connection.reply({ context: 'api', status: 'joined', room, ...joined })
      },
      ...(heard === undefined ? {} : { heard }),
    })
  }
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, position] = next
      try {
        await join(name, position)
      } catch (thrown) {
        const { context: _, messageId: __, ...error } = errorReply(toError(thrown), undefined)
        data[name] = error
      }
    }
  }
  await Promise.all(Array.from({ length: mostAtOnce }, work))
  return data
}
