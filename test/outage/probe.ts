// Owns what a subject's probe is, and how it is driven: step after step, whatever becomes of each.
import { setTimeout as sleep } from 'node:timers/promises'
import { Pulse } from './pulse.ts'

/** What was found when all was quiet again. */
export interface Tally {
  /** Acknowledged and gone. */
  readonly lost: number
  /** Came to be twice. */
  readonly doubled: number
  /** Gone, and those concerned were told so (a gap). */
  readonly told?: number
  /** What must not be, in whatever outage. */
  readonly wrong?: readonly string[]
}

/** Work of one kind that goes on through an outage. */
export interface Probe {
  readonly subject: string
  /** Steps at a time; each lane does one after the other. */
  readonly lanes: number
  /** Pause of a lane between two steps, in ms. */
  readonly pauseMs: number
  /** When both apps are ready. */
  readonly begin?: () => Promise<void>
  /** One piece of work, from asking to its effect; `n` is never the same twice. Rejects if it did not go. */
  readonly step: (n: number, lane: number) => Promise<void>
  readonly settle: () => Promise<Tally>
}

/** A probe under way. */
export interface Driven {
  readonly probe: Probe
  readonly pulse: Pulse
  /** Resolves when the steps under way have ended. */
  stop(): Promise<void>
}

/** Begins. */
export function drive(probe: Probe): Driven {
  const pulse = new Pulse()
  let isOver = false
  let numbers = 0
  const lane = async (index: number) => {
    while (!isOver) {
      const from = performance.now()
      numbers += 1
      const code = await probe.step(numbers, index).then(() => undefined, codeOf)
      pulse.note(from, code)
      // The load is steady, and the event loop has other work.
      await sleep(probe.pauseMs)
    }
  }
  const lanes = Array.from({ length: probe.lanes }, (_, index) => lane(index))
  return {
    probe,
    pulse,
    async stop() {
      isOver = true
      await Promise.all(lanes)
    },
  }
}

/** What is counted: the code, or for an error without one its text. */
function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return code ?? `no code: ${message}`
}
