// Owns how big the suites run and their random numbers, so that a failed run can be repeated exactly.

/**
 * `full`, as FAULTS writes it, times the scale of this run (`AH_TEST_SCALE`, 1 = full, default 0.05), rounded,
 * never below `minimum`.
 */
export function scaled(full: number, minimum = 1): number {
  return Math.max(minimum, Math.round(full * scale))
}

const scale = positiveFromEnv('AH_TEST_SCALE') ?? 0.05

/** The seed of this run's random numbers: `AH_TEST_SEED`, or taken from the clock. */
export const seed: number = positiveFromEnv('AH_TEST_SEED') ?? (Date.now() & 0x7fffffff) + 1

/**
 * The next random number in [0, 1), the same in every run with the same seed.
 * The first call prints the seed, so that it stands in the output of a failed run.
 */
export const random: () => number = announced(mulberry32(seed))

function announced(next: () => number): () => number {
  let isAnnounced = false
  return () => {
    if (!isAnnounced) {
      isAnnounced = true
      process.stderr.write(`random numbers from AH_TEST_SEED=${seed}\n`)
    }
    return next()
  }
}

/** Mulberry32 by Tommy Ettinger (public domain): 32 bits of state are plenty for a test's choices. */
function mulberry32(start: number): () => number {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function positiveFromEnv(name: string): number | undefined {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new Error(`${name} must be a number above 0, got '${text}'`)
  return value
}
