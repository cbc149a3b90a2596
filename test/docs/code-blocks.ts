// Owns which blocks of code the documentation shows, but for what test/published runs: a README's install and first
// example, and docs/start.md.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A block of JavaScript, TypeScript or shell on a page. */
export interface CodeBlock {
  /** From the root of the project: `docs/cache.md`. */
  readonly page: string
  /** The number of its first line. */
  readonly line: number
  readonly language: 'js' | 'ts' | 'sh'
  readonly code: string
}

/** The root of the project: the compiled tests lie in `test/docs/dist`. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url))

/** All blocks of all pages that people write; `docs/api` is generated. */
export function codeBlocks(): CodeBlock[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'start.md')
  const packages = readdirSync(join(root, 'packages'))
  return [
    ...docs.flatMap((name) => blocksOf(`docs/${name}`)),
    ...packages.flatMap((name) => withoutFirstSteps(blocksOf(`packages/${name}/README.md`))),
  ]
}

function blocksOf(page: string): CodeBlock[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```(js|ts|sh)\n(.*?)^```$/gms)].map(({ index, 1: language, 2: code }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    language: language as CodeBlock['language'],
    code: code!,
  }))
}

function withoutFirstSteps(blocks: CodeBlock[]): CodeBlock[] {
  const example = blocks.find(({ language }) => language === 'js')
  return blocks.filter(
    (block) => block !== example && !/^(npm install|npx fastify-ah start cluster app\.js) /.test(block.code),
  )
}
