// `npm run docs:api`: docs/api from the declarations of every entry of every package, as its users' editors read them.
//   --check   writes nothing; ends with 1 and the names of the pages that are not what the declarations say
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { Application, Converter } from 'typedoc'

const root = join(import.meta.dirname, '../..')
const pages = join(root, 'docs/api')
const { check } = parseArgs({ options: { check: { type: 'boolean' } } }).values
const entries = new Map(readdirSync(join(root, 'packages')).flatMap(entriesOf))
const out = check ? mkdtempSync(join(tmpdir(), 'ah-api-')) : pages

try {
  await generate(out)
  const stale = check ? differences() : []
  if (stale.length > 0) console.log(`run "npm run docs:api": not as the code says: ${stale.join(', ')}`)
  process.exitCode = stale.length > 0 ? 1 : 0
} finally {
  if (check) rmSync(out, { recursive: true })
}

async function generate(folder) {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: [...entries.keys()],
    tsconfig: join(import.meta.dirname, 'tsconfig.json'),
    // Our compiler has read the sources by now; this one is another version, and reads what ours has written.
    skipErrorChecking: true,
    out: folder,
    name: 'API reference',
    readme: 'none',
    router: 'module',
    cleanOutputDir: true,
    hideBreadcrumbs: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    logLevel: 'Error',
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.children) entry.name = entries.get(entry.sources[0].fullFileName)
    // Where in `dist` something is declared helps nobody.
    for (const reflection of Object.values(project.reflections)) delete reflection.sources
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('the declarations could not be read: is the project built?')
  await app.generateOutputs(project)
}

/**
 * File of declarations → what users import, for each entry that `exports` offers to other code. Commands have a README
 * instead, and `/plugin` is the main entry by another name.
 */
function entriesOf(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'))
  return Object.entries(exports)
    .filter(([entry, { types }]) => types !== undefined && !['./cli', './plugin'].includes(entry))
    .map(([entry, { types }]) => [join(root, 'packages', folder, types), join(name, entry)])
}

function differences() {
  const made = textsIn(out)
  const kept = textsIn(pages)
  return [...new Set([...made.keys(), ...kept.keys()])].filter((name) => made.get(name) !== kept.get(name))
}

function textsIn(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.md'))
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
