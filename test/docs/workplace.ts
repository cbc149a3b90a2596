// Owns an empty folder in which the code of a page runs: our packages and commands are installed in it.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type FinishedNode,
  type SpawnedNode,
  type SpawnNodeOptions,
  spawnNode,
  type TestScope,
  tempDir,
} from 'fastify-ah-test-support'
import { root } from './code-blocks.ts'

const installed = join(root, 'test/docs/node_modules')
const compiler = join(root, 'node_modules/typescript/bin/tsc')

export class Workplace {
  readonly folder: string
  readonly #scope: TestScope

  constructor(scope: TestScope, files: Readonly<Record<string, string>> = {}) {
    this.#scope = scope
    this.folder = tempDir(scope).path
    symlinkSync(installed, join(this.folder, 'node_modules'))
    this.write('package.json', '{ "type": "module" }')
    for (const [name, text] of Object.entries(files)) this.write(name, text)
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  /**
   * Runs a part of a program as the body of a function: its free names are given in `names`, and those of its constants
   * that are listed in `results` come back.
   */
  async runPart(code: string, names: object, results: readonly string[] = []): Promise<Record<string, unknown>> {
    const imports = code.match(/^import .+$/gm) ?? []
    const body = code.replaceAll(/^import .+$/gm, '')
    const text = [
      ...imports,
      `export default async ({ ${Object.keys(names).join(', ')} }) => {`,
      body,
      `return { ${results.join(', ')} }`,
      '}',
    ]
    const file = this.write(`part-${Math.random().toString(36).slice(2)}.js`, text.join('\n'))
    const part = await import(pathToFileURL(file).href)
    return part.default(names)
  }

  /** Compiles TypeScript, strict; throws what the compiler says. Answers the file to run. */
  async compile(code: string): Promise<string> {
    const file = this.write('typed.ts', code)
    const flags = [
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--skipLibCheck',
      '--typeRoots',
      join(root, 'node_modules/@types'),
    ]
    const { code: exit, stdout } = await this.finish(compiler, { args: [...flags, file] })
    if (exit !== 0) throw new Error(stdout)
    return file.replace(/ts$/, 'js')
  }

  /** Starts a file of Node in the folder. */
  start(file: string, options: SpawnNodeOptions = {}): SpawnedNode {
    return spawnNode(file, { cwd: this.folder, ...options }, this.#scope)
  }

  /** Runs `fastify-ah <line>`, a line of a page without its comment. */
  fastifyAh(line: string, options: SpawnNodeOptions = {}): SpawnedNode {
    const words = (
      line
        .split(/ {2,}#/)[0]!
        .trim()
        .match(/'[^']*'|\S+/g) ?? []
    ).map((word) => word.replaceAll("'", ''))
    const args = words.slice(words.indexOf('fastify-ah') + 1)
    return this.start(join(installed, 'fastify-ah/bin/fastify-ah.js'), { ...options, args })
  }

  /** The same, to its end. */
  async run(line: string, options: SpawnNodeOptions = {}): Promise<FinishedNode> {
    return this.#ended(this.fastifyAh(line, options))
  }

  /** {@link start}, to its end. */
  async finish(file: string, options: SpawnNodeOptions = {}): Promise<FinishedNode> {
    return this.#ended(this.start(file, options))
  }

  async #ended(child: SpawnedNode): Promise<FinishedNode> {
    const { code } = await child.exited
    return { code, stdout: child.stdout(), stderr: child.stderr() }
  }
}
