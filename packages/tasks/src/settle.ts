// Owns how a job's end is told to Redis: the words of the exchange script.
import type { JobMeta } from './payload.ts'

/** The end of a claim. `done` is a success without ado; the others carry what belongs to them. */
export interface Settle {
  readonly claim: number
  readonly kind: 'done' | 's' | 'f' | 'r' | 'l' | 'c'
  /** Of a tracked job: how it ended. */
  readonly track?: { readonly id: string; readonly state: string; readonly outcome: string }
  /** Of a recurring job. */
  readonly tick?: { readonly task: string; readonly at: number }
  /** `f`: the entry; `r`: mark and payload. */
  readonly text?: string
  /** `r`: ms until it is tried again. */
  readonly delayMs?: number
  /** `r`, `c`: of the job. */
  readonly id?: string
}

/** The ten arguments of a settle that is not plain. */
export function settleWords(
  settle: Settle,
  { trackMs, maxFailed }: { trackMs: number; maxFailed: number },
): (string | number)[] {
  const { claim, kind, track, tick, text = '', delayMs = 0, id = '' } = settle
  const last = kind === 'f' ? maxFailed : kind === 'r' ? `${wholeMs(delayMs)} ${id}` : ''
  return [
    kind,
    claim,
    track?.id ?? '',
    track?.state ?? '',
    track?.outcome ?? '',
    trackMs,
    tick?.task ?? '',
    tick?.at ?? '',
    kind === 'c' ? id : text,
    last,
  ]
}

/** Whatever was computed: a number that the script cannot read would be refused again and again, with all beside it. */
function wholeMs(ms: number): number {
  return ms > 0 ? Math.min(Math.round(ms), Number.MAX_SAFE_INTEGER) : 0
}

/** What a settle says of a job that is tracked or recurring. */
export function settleExtras(
  task: string,
  meta: JobMeta | undefined,
  state: string,
  outcome: string,
): Pick<Settle, 'track' | 'tick'> {
  return {
    ...(meta?.track && { track: { id: meta.id, state, outcome } }),
    ...(meta?.tick !== undefined && { tick: { task, at: meta.tick } }),
  }
}
