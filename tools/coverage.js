// `npm run coverage`: what the suites of kit and cache run of their packages, as text and in coverage/index.html.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from './root.js'
import { runsOf } from './suites.js'

const packages = ['kit', 'cache']

const files = packages.flatMap((name) => runsOf(name)).map(({ file }) => file)
const included = packages.flatMap((name) => ['--include', `packages/${name}/src/**/*.ts`])
const child = spawn(
  join(root, 'node_modules/.bin/c8'),
  [
    ...['--reporter', 'text', '--reporter', 'html', '--reports-dir', 'coverage', '--exclude-after-remap', ...included],
    ...['node', '--test', '--test-concurrency=2', ...new Set(files)],
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
)
const [code] = await once(child, 'exit')
process.exitCode = code ?? 1
