// Prints what time this process believes it is, asked in every way.
import { performance } from 'node:perf_hooks'

class Day extends Date {}
const today = new Date()
const isInstance = today instanceof Date && new Day() instanceof Day && new Day() instanceof Date

console.log(
  JSON.stringify({
    now: Date.now(),
    constructed: today.getTime(),
    subclass: new Day().getTime(),
    text: Date.parse(Date()),
    fixed: new Date(2026, 0, 1, 12).getHours(),
    parsed: new Date('2026-01-01T00:00:00Z').getTime(),
    isInstance,
    uptime: performance.now(),
  }),
)
