// The checks that read the code instead of running it: format, lint, unused things, and each package as it would be published.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { run } from './command.js'
import { root } from './root.js'

/** `{ title, run }` of every check; `run` answers what {@link run} of command.js does. */
export function checks() {
  return [
    check('biome: format and lint', 'biome', 'ci', '--colors=off', '.'),
    check('knip: nothing unused, nothing undeclared', 'knip'),
    check('docs/api: as the declarations say', 'node', join(root, 'tools/api/generate.js'), '--check'),
    ...readdirSync(join(root, 'packages')).flatMap((name) => [
      check(`publint: ${name}`, 'publint', 'run', `packages/${name}`, '--strict', '--pack', 'npm'),
      check(`attw: ${name}`, 'attw', '--pack', `packages/${name}`, '--profile', 'esm-only'),
    ]),
  ]
}

function check(title, program, ...args) {
  return {
    title,
    run: () => run(pathOf(program), args, { cwd: root, env: { NO_COLOR: '1' } }),
  }
}

function pathOf(program) {
  return program === 'node' ? process.execPath : join(root, 'node_modules/.bin', program)
}
