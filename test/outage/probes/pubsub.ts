// Channels through an outage: each message once and in order, and what was missed is told.
import { Ledger } from '../ledger.ts'
import type { Pair } from '../pair.ts'
import type { Probe } from '../probe.ts'

const lanes = 3
const channelsPerLane = 2
const heardWithinMs = 1_000

export function pubsubProbe({ a, b }: Pair): Probe {
  const ledger = new Ledger()
  const gaps = new Map<string, number>()
  const last = new Map<string, number>()
  let disordered = 0
  const channelOf = (lane: number, n: number) => `/outage/${lane}-${n % channelsPerLane}`
  const channelNamed = new Map<number, string>()
  const hear = (n: number, channel: string) => {
    ledger.see(n)
    if (n < (last.get(channel) ?? 0)) disordered += 1
    last.set(channel, n)
  }
  return {
    subject: 'pub/sub',
    lanes,
    pauseMs: 25,
    async begin() {
      b.pubsub.onGap(({ channels }) => {
        for (const channel of channels) gaps.set(channel, performance.now())
      })
      for (let lane = 0; lane < lanes; lane += 1) {
        for (let n = 0; n < channelsPerLane; n += 1) {
          const channel = channelOf(lane, n)
          await b.pubsub.subscribe(channel, (data) => hear(Number(data), channel))
        }
      }
    },
    async step(n, lane) {
      const channel = channelOf(lane, n)
      channelNamed.set(n, channel)
      await ledger.ask(n, a.pubsub.publish(channel, n))
      await ledger.arrival(n, heardWithinMs)
    },
    async settle() {
      const missing = ledger.missing()
      // A gap that was told before the message was published did not mean it.
      const told = missing.filter(([n, asked]) => (gaps.get(channelNamed.get(n) as string) ?? 0) > asked).length
      const wrong = [
        ...(missing.length === told ? [] : [`${missing.length - told} missed, and nobody was told`]),
        ...(disordered === 0 ? [] : [`${disordered} out of order`]),
        ...(ledger.ghosts() === 0 ? [] : [`${ledger.ghosts()} heard, and said to be not published`]),
      ]
      return { lost: missing.length - told, told, doubled: ledger.doubled(), wrong }
    },
  }
}
