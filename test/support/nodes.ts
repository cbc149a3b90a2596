// Owns the Node versions that the suites run on.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A node binary. */
export interface NodeBinary {
  /** Without the `v`. */
  version: string
  path: string
}

/**
 * The running Node first, then those of the workspace folder `tools/nodes` (Linux on x64; elsewhere they are not installed
 * and the running one is all).
 *
 * @throws Error on Linux x64 when one is not there: it would otherwise be left out in silence.
 */
export function nodes(): NodeBinary[] {
  const running = { version: process.versions.node, path: process.execPath }
  if (process.platform !== 'linux' || process.arch !== 'x64') return [running]
  return [running, ...['node22', 'node24'].map(installed)]
}

function installed(name: string): NodeBinary {
  const folder = join(workspaceRoot(import.meta.dirname), 'tools/nodes/node_modules', name)
  const path = join(folder, 'bin/node')
  if (!existsSync(path)) throw new Error(`${path} is missing: run 'pnpm install'`)
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  return { version, path }
}

function workspaceRoot(from: string): string {
  if (existsSync(join(from, 'pnpm-workspace.yaml'))) return from
  const parent = dirname(from)
  if (parent === from) throw new Error('Not inside the workspace: no pnpm-workspace.yaml above support')
  return workspaceRoot(parent)
}
