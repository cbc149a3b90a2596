// Owns what a README tells its reader to do: what to install, what to save as a file, what to run.

/** The instructions of a README. */
export interface Instructions {
  /** The names behind the first `npm install`. */
  readonly installs: readonly string[]
  /** The first block of JavaScript: the file to save. */
  readonly example: Example
  /** The words of the first line that begins with `npx`, without `npx` itself; undefined: run the example by `node`. */
  readonly command: readonly string[] | undefined
}

/** A program as the README shows it. */
export interface Example {
  /** Named by a comment on its first line (`// app.js`), else `example.js`. */
  readonly file: string
  readonly code: string
  /** What it prints, in order: the comment behind each `console.log(…)`. */
  readonly prints: readonly string[]
  /** The port on which it listens. */
  readonly port: number | undefined
  /** The paths of its GET routes without parameters. */
  readonly paths: readonly string[]
}

/** Reads the README, or throws what it lacks. */
export function instructionsOf(readme: string): Instructions {
  const shell = blocksOf(readme, 'sh|bash|console|shell').flatMap((block) => block.split('\n'))
  const install = shell.find((line) => /^npm (?:install|i) /.test(line))
  if (install === undefined) throw new Error('the README has no `npm install …` in a block of sh')
  const [code] = blocksOf(readme, 'js|mjs|javascript')
  if (code === undefined) throw new Error('the README has no block of js')
  const command = shell.find((line) => line.startsWith('npx '))
  return {
    installs: wordsOf(install).slice(2),
    example: exampleOf(code),
    command: command === undefined ? undefined : wordsOf(command).slice(1),
  }
}

function exampleOf(code: string): Example {
  const port = /\bport: (\d+)/.exec(code)?.[1]
  return {
    file: /^\/\/ ([\w-]+\.m?js)\b/.exec(code)?.[1] ?? 'example.js',
    code,
    prints: [...code.matchAll(/^ *console\.log\(.*\) *\/\/ (.+)$/gm)].map(([, text]) => text!.trim()),
    port: port === undefined ? undefined : Number(port),
    paths: [...code.matchAll(/\.get\(\s*'(\/[^':]*)'/g)].map(([, path]) => path!),
  }
}

function blocksOf(readme: string, languages: string): string[] {
  const block = new RegExp(`^\`\`\`(?:${languages})\\n(.*?)^\`\`\``, 'gms')
  return [...readme.matchAll(block)].map(([, text]) => text!)
}

/** Without flags and comments. */
function wordsOf(line: string): string[] {
  return line.replace(/ #.*$/, '').trim().split(/\s+/)
}
