// The connections of this node: by id, by user; how they come and go.
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { Connection, type ConnectionParts } from './connection.ts'
import type { Events } from './events.ts'
import type { Membership } from './membership.ts'

/** What it works with. */
export interface ConnectionsOptions {
  readonly membership: Pick<Membership, 'leaveAll'>
  readonly events: Events
  readonly welcomeMessage: string
  readonly log: FastifyBaseLogger
}

/** One truth in two maps. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #byId = new Map<string, Connection>()
  readonly #byUser = new Map<string, Set<Connection>>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byId.size
  }

  get all(): readonly Connection[] {
    return [...this.#byId.values()]
  }

  find(id: string): Connection | undefined {
    return this.#byId.get(id)
  }

  of(user: string): readonly Connection[] {
    return [...(this.#byUser.get(user) ?? [])]
  }

  open(parts: ConnectionParts): Connection {
    const { events, welcomeMessage } = this.#options
    const connection = new Connection(parts)
    this.#byId.set(connection.id, connection)
    if (connection.user !== undefined) {
      const same = this.#byUser.get(connection.user)
      if (same === undefined) this.#byUser.set(connection.user, new Set([connection]))
      else same.add(connection)
    }
    if (welcomeMessage !== '') connection.reply({ welcome: welcomeMessage, context: 'api' })
    events.emit('connection', connection)
    return connection
  }

  /** Its socket is gone: it is nowhere any more, at once; resolves when it has left its rooms. Twice is fine. Never rejects. */
  async close(connection: Connection): Promise<void> {
    if (!this.#byId.delete(connection.id)) return
    const { membership, events, log } = this.#options
    const same = connection.user === undefined ? undefined : this.#byUser.get(connection.user)
    same?.delete(connection)
    if (connection.user !== undefined && same?.size === 0) this.#byUser.delete(connection.user)
    connection.end()
    events.emit('disconnect', connection)
    const left = membership.leaveAll(connection).catch((thrown: unknown) => {
      log.error({ err: toError(thrown) }, 'a closed connection could not leave its rooms')
    })
    this.#leaving.add(left)
    await left
    this.#leaving.delete(left)
  }

  /** Resolves when all that are closed have left their rooms. */
  async idle(): Promise<void> {
    await Promise.all(this.#leaving)
  }
}
