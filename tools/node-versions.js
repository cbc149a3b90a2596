// The Node versions that the suites run on: the one that runs this, and 22 and 24 from tools/nodes.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.js'

/** `{ name, path }` of the Node that runs this. */
export const currentNode = { name: `Node ${process.versions.node.split('.')[0]}`, path: process.execPath }

/** Node 22 and 24. They exist for Linux on x64; elsewhere the Node that runs this has to do. */
export function otherNodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return []
  return ['22', '24'].map((version) => {
    const path = join(root, `tools/nodes/node_modules/node${version}/bin/node`)
    if (!existsSync(path)) throw new Error(`Node ${version} is not installed at ${path}`)
    return { name: `Node ${version}`, path }
  })
}
