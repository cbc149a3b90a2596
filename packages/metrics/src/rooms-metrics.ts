// Measures rooms, by the counts that they keep themselves.
import type { Instruments } from './instruments.ts'
import type { MeasuredRooms } from './types.ts'

type Count = keyof ReturnType<MeasuredRooms['stats']>

const counts: readonly (readonly [name: string, help: string, count: Count])[] = [
  ['messages', 'Messages of rooms that came from Redis for members in a process.', 'heard'],
  ['dropped', "What came on rooms' channels and was none of ours.", 'dropped'],
  ['gaps', 'How often members may have missed messages.', 'gaps'],
  ['refused', 'Handshakes that were not let in.', 'refused'],
  ['too_fast', 'Messages of clients that came faster than allowed.', 'tooFast'],
  ['cut', 'Connections that were cut because they did not read.', 'cut'],
]

/** `all`: by their decorator. */
export function measureRooms(all: ReadonlyMap<string, MeasuredRooms>, instruments: Instruments): void {
  const labels = ['rooms']
  const each = (count: Count) => () =>
    [...all].map(([rooms, measured]) => [{ rooms }, measured.stats()[count]] as const)
  for (const [name, help, count] of counts) {
    instruments.counted({ name: `rooms_${name}_total`, help, labels }, each(count))
  }
  instruments.shown({ name: 'rooms_connections', help: 'Open connections.', labels }, each('connections'))
  instruments.shown(
    { name: 'rooms_local_rooms', help: 'Rooms with members in a process, counted in each process.', labels },
    each('rooms'),
  )
}
