// pnpm for a machine that has only Node and npm: npx fetches it.
import { run } from './command.js'
import { root } from './root.js'

const env = {
  // No questions, no progress animation.
  CI: 'true',
  TURBO_TELEMETRY_DISABLED: '1',
}

/** Runs pnpm at the root of the project. */
export function pnpm(...args) {
  return run('npx', ['-y', 'pnpm@12', ...args], { cwd: root, env })
}
