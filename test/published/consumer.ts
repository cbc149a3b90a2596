// Owns an empty folder in which a reader does what a README says.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Instructions } from './readme.ts'
import { compiler, type Tarball } from './tarballs.ts'

const run = promisify(execFile)

/** Both ways in which consumers of types resolve modules today, as strict as it gets. */
const resolutions = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
}

/** A folder with a package installed. */
export class Consumer {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /**
   * Makes the folder below `base` and runs the README's `npm install`, our names replaced by the tarballs. What ours need
   * of ours comes from the tarballs too: nothing of this version is in the registry yet.
   */
  static async install(base: string, name: string, { installs }: Instructions, tarballs: readonly Tarball[]) {
    const folder = join(base, name)
    mkdirSync(folder)
    const direct = new Set(installs)
    const overrides = tarballs.filter((ball) => !direct.has(ball.name)).map((ball) => [ball.name, `file:${ball.file}`])
    const manifest = { name: 'consumer', private: true, type: 'module', overrides: Object.fromEntries(overrides) }
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    const wanted = installs.map((word) => tarballs.find((ball) => ball.name === word)?.file ?? word)
    // Whoever compiles TypeScript for Node has the types of Node.
    await npm(folder, ...wanted, '@types/node@20')
    return new Consumer(folder)
  }

  /** What npm wrote about the installed package. */
  manifestOf(name: string): {
    readonly exports: Readonly<Record<string, unknown>>
    readonly bin?: Record<string, string>
  } {
    return JSON.parse(readFileSync(join(this.folder, 'node_modules', name, 'package.json'), 'utf8'))
  }

  write(file: string, text: string): string {
    const path = join(this.folder, file)
    writeFileSync(path, text)
    return path
  }

  /** Copies a file of ours into the folder. */
  take(source: URL): string {
    const path = join(this.folder, basename(source.pathname))
    cpSync(source, path)
    return path
  }

  /** Compiles `source` against the installed types; rejects with the compiler's output. */
  async compile(resolution: keyof typeof resolutions, source: URL): Promise<void> {
    const file = this.take(source)
    const compilerOptions = {
      ...resolutions[resolution],
      target: 'es2023',
      lib: ['es2023'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
    }
    this.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }))
    await run(process.execPath, [compiler, '-p', '.'], { cwd: this.folder }).catch((error: { stdout?: string }) => {
      throw new Error(`the types do not compile:\n${error.stdout}`, { cause: error })
    })
  }
}

async function npm(folder: string, ...wanted: string[]): Promise<void> {
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...wanted], { cwd: folder })
}
