// Runs the production topology for so many ms of troubles and of calm, and prints what came out as one line of JSON.
import { runSoak } from '../production/soak.ts'

const [troubledMs, calmMs] = process.argv.slice(2).map(Number) as [number, number]
const hooks: (() => unknown)[] = []
try {
  const result = await runSoak({ troubledMs, calmMs }, { after: (hook) => void hooks.push(hook) })
  console.log(JSON.stringify(result))
} finally {
  for (const hook of hooks) await hook()
}
