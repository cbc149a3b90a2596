// Owns what the package.json of a published package has to say.

type Json = Readonly<Record<string, unknown>>

const NODE = '>=20.19'

/** Every departure. `folder` is the package's folder name, `isPlugin` whether it has a `plugin.ts`. */
export function manifestViolations(folder: string, manifest: Json, isPlugin: boolean): string[] {
  const wrong = (what: string) => [`packages/${folder}/package.json: ${what}`]
  const expect = (isRight: boolean, what: string) => (isRight ? [] : wrong(what))
  const at = (key: string) => (manifest[key] ?? {}) as Json
  const files = (manifest['files'] ?? []) as readonly string[]
  const own = (names: Json) => Object.entries(names).filter(([name]) => name.startsWith('fastify-ah'))
  return [
    ...expect(
      manifest['name'] === (folder === 'fastify-ah' ? folder : `fastify-ah-${folder}`),
      'name and folder differ',
    ),
    ...expect(manifest['type'] === 'module', 'type has to be module'),
    ...expect(manifest['license'] === 'MIT', 'license has to be MIT'),
    ...expect(manifest['sideEffects'] === false, 'sideEffects has to be false'),
    ...expect(manifest['private'] === undefined, 'a published package is not private'),
    ...expect(at('engines')['node'] === NODE, `engines.node has to be ${NODE}`),
    ...['version', 'description', 'keywords'].flatMap((key) =>
      expect(manifest[key] !== undefined, `${key} is missing`),
    ),
    ...['README.md', 'LICENSE', ...foldersOf(manifest)].flatMap((file) =>
      expect(files.includes(file), `files has to list ${file}`),
    ),
    ...expect(at('exports')['./package.json'] === './package.json', 'exports has to name ./package.json'),
    ...Object.entries(at('exports')).flatMap(([entry, target]) => entryViolations(entry, target).flatMap(wrong)),
    ...expect(!isPlugin || at('peerDependencies')['fastify'] === '^5.0.0', 'a plugin has fastify ^5.0.0 as its peer'),
    ...own(at('peerDependencies')).flatMap(([name]) => wrong(`${name} has to be a dependency, not a peer`)),
    ...own(at('dependencies')).flatMap(([name, range]) =>
      expect(range === 'workspace:^', `${name} has to be workspace:^`),
    ),
  ]
}

/** The folders that hold what the package offers: its entries and its commands. */
function foldersOf({ exports = {}, bin = {} }: Json): string[] {
  const texts = JSON.stringify([exports, bin]).matchAll(/"\.\/(\w+)\//g)
  return [...new Set([...texts].map(([, folder]) => folder!))]
}

/** Types first: a resolver takes the first condition that fits. */
function entryViolations(entry: string, target: unknown): string[] {
  if (typeof target === 'string') return entry === './package.json' ? [] : [`exports ${entry} has no types`]
  const conditions = Object.entries(target as Readonly<Record<string, string>>)
  const isRight = conditions[0]?.[0] === 'types' && conditions.at(-1)?.[0] === 'default'
  return isRight && conditions.every(([, file]) => file.startsWith('./dist/'))
    ? []
    : [`exports ${entry} has to be { types, …, default } in ./dist/`]
}
