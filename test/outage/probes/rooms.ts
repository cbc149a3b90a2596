// Rooms through an outage: members stay members, hear everything once and in order, or are told that nobody can say.
import { setTimeout as sleep } from 'node:timers/promises'
import type { InjectedClient } from 'fastify-ah-rooms'
import { Ledger, NotSeenError } from '../ledger.ts'
import { type Pair, rooms } from '../pair.ts'
import type { Probe } from '../probe.ts'

const heardWithinMs = 1_500

type Message = Readonly<Record<string, unknown>>

export function roomsProbe({ a, b }: Pair): Probe {
  const ledger = new Ledger()
  const roomNamed = new Map<number, string>()
  let clients: { ada: InjectedClient; bob: InjectedClient }
  let left = 0
  let looked = 0
  const heard: Message[] = []
  /** What bob has been sent since the last look. */
  const look = () => {
    const news = clients.bob.messages.slice(looked).filter(({ context }) => context === 'user')
    looked = clients.bob.messages.length
    heard.push(...news)
    for (const { message } of news) ledger.see(Number(message))
  }
  const untilHeard = async (n: number) => {
    for (const deadline = performance.now() + heardWithinMs; !ledger.isSeen(n); look()) {
      if (performance.now() > deadline) throw new NotSeenError(`${n} was not heard`)
      // Between two looks.
      await sleep(10)
    }
  }
  /** A reply that is no is an error with its code. */
  const asked = async (client: InjectedClient, message: Message) => {
    const reply = await client.request(message)
    if (reply['status'] === 'OK') return reply
    throw Object.assign(new Error(String(reply['error'])), { code: reply['code'] })
  }
  return {
    subject: 'rooms',
    lanes: rooms.length,
    pauseMs: 30,
    async begin() {
      for (const app of [a, b])
        app.rooms.on('leave', () => {
          left += 1
        })
      const [ada, bob] = [await a.rooms.inject({ user: 'ada' }), await b.rooms.inject({ user: 'bob' })]
      for (const room of rooms) {
        for (const client of [ada, bob]) await asked(client, { event: 'roomAdd', room })
      }
      clients = { ada, bob }
    },
    async step(n, lane) {
      const room = rooms[lane] as string
      roomNamed.set(n, room)
      await ledger.ask(n, asked(clients.ada, { event: 'say', room, message: n }))
      await untilHeard(n)
    },
    async settle() {
      const { bob } = clients
      look()
      const gaps = new Set(bob.messages.filter(({ status }) => status === 'gap').map(({ room }) => room))
      const missing = ledger.missing()
      const told = missing.filter(([n]) => gaps.has(roomNamed.get(n))).length
      const statuses = await Promise.all(rooms.map((room) => b.rooms.roomStatus(room)))
      const counts = statuses.map(({ membersCount }) => membersCount)
      const disordered = rooms.filter((room) => !isAscending(heard, room, ledger))
      const wrong = [
        ...(left === 0 ? [] : [`${left} leaves of members that stayed`]),
        ...(counts.every((count) => count === 2) ? [] : [`members of the rooms: ${counts.join(', ')} instead of 2`]),
        ...(disordered.length === 0 ? [] : [`out of order in ${disordered.join(', ')}`]),
        ...(ledger.ghosts() === 0 ? [] : [`${ledger.ghosts()} heard, and said to be not said`]),
      ]
      return { lost: missing.length - told, told, doubled: ledger.doubled(), wrong }
    },
  }
}

/** What was said in a sequence, and acknowledged, was heard in it. */
function isAscending(heard: readonly Message[], room: string, ledger: Ledger): boolean {
  const numbers = heard.filter((one) => one['room'] === room).map(({ message }) => Number(message))
  const sure = numbers.filter((n) => ledger.isAcknowledged(n))
  return sure.every((n, i) => i === 0 || n > (sure[i - 1] as number))
}
