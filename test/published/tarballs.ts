// Owns the packages as they would be published: packed by pnpm, which writes real versions for workspace: and catalog:.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** A packed package. */
export interface Tarball {
  /** The npm name. */
  readonly name: string
  /** The folder below `packages/`. */
  readonly folder: string
  readonly file: string
  /** Its entries, as `import` names them. */
  readonly entries: readonly string[]
  readonly isPlugin: boolean
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
}

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Packs every package into `destination`. */
export async function packAll(destination: string): Promise<Tarball[]> {
  const args = ['-y', 'pnpm@12', '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', destination]
  await promisify(execFile)('npx', args, { cwd: root })
  const packed = readdirSync(destination)
  return readdirSync(join(root, 'packages')).map((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as Manifest
    const { name, version, exports } = manifest
    const file = `${name}-${version}.tgz`
    if (!packed.includes(file)) throw new Error(`${name} was not packed as ${file}, only ${packed.join(', ')}`)
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json')
    return {
      name,
      folder,
      file: join(destination, file),
      entries: entries.map((entry) => join(name, entry)),
      isPlugin: entries.includes('./plugin'),
    }
  })
}

/** The README of a package, as it stands in the project. */
export function readmeOf({ folder }: Tarball): string {
  return readFileSync(join(root, 'packages', folder, 'README.md'), 'utf8')
}

/** The compiler of the project. */
export const compiler: string = join(root, 'node_modules/typescript/bin/tsc')
