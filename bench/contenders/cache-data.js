// The data that every cache contender works on: 1000 keys, values of about 200 bytes of JSON, or of as many as BENCH_BYTES
// says.

export const KEYS = 1000
export const EXPIRE_MS = 60 * 60 * 1000

export function keyOf(index) {
  return `user:${index % KEYS}`
}

const filling = 'x'.repeat(Math.max(0, Number(process.env.BENCH_BYTES ?? 200) - 200))

/** A value as an app would keep it: about 200 bytes as JSON, not the same for two keys. */
export function userOf(index) {
  const number = index % KEYS
  return {
    id: number,
    name: `User number ${number}`,
    email: `user.number.${number}@example.com`,
    roles: ['reader', 'writer'],
    settings: { theme: 'dark', language: 'en', pageSize: 50 },
    lastSeen: 1_700_000_000_000 + number,
    isActive: true,
    ...(filling === '' ? {} : { about: filling }),
  }
}

/** A contender that misses would be fast and worthless. */
export function expectHit(id, index) {
  if (id !== index % KEYS) throw new Error(`expected ${index % KEYS}, got ${id}`)
}
