// The project as the next worker finds it: its folder and its app file, both resolved anew each time.
import { realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AH_CLUSTER_APP_NOT_FOUND } from './errors.ts'

/** Where a worker runs. */
export interface Project {
  /** Real path of the project's folder: a symlink that is moved to another release does not move a running worker. */
  readonly root: string
  /** Absolute path of the app file. */
  readonly app: string
}

const NAMES = ['app.js', 'app.mjs', 'app.cjs', 'app.ts', 'app.mts']
const FOLDERS = ['.', 'src']

/** Throws `AH_CLUSTER_APP_NOT_FOUND`, saying what was looked for. */
export function findProject(root: string, app: string | undefined): Project {
  const real = realRoot(root)
  if (app === undefined) return { root: real, app: firstApp(real) }
  const path = resolve(real, app)
  const kind = kindOf(path)
  if (kind === undefined) throw new AH_CLUSTER_APP_NOT_FOUND(`there is no app file ${path}`)
  return { root: real, app: kind === 'folder' ? firstApp(path) : path }
}

function realRoot(root: string): string {
  try {
    return realpathSync(root)
  } catch (cause) {
    throw new AH_CLUSTER_APP_NOT_FOUND(`there is no project folder ${root}`, { cause })
  }
}

function firstApp(folder: string): string {
  const candidates = FOLDERS.flatMap((sub) => NAMES.map((name) => join(sub, name)))
  const found = candidates.map((name) => join(folder, name)).find((path) => kindOf(path) === 'file')
  if (found !== undefined) return found
  throw new AH_CLUSTER_APP_NOT_FOUND(`there is no app file in ${folder}; looked for ${candidates.join(', ')}`)
}

function kindOf(path: string): 'file' | 'folder' | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  return stats.isDirectory() ? 'folder' : 'file'
}
