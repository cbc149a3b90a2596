// docs/configuration.md holds every option and every variable that the code knows, and no other.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { type CommandOption, missingLines, type OptionNames, optionTable, variablesIn } from './configuration-table.ts'
import { environmentPlaces } from './environment.ts'
import { root, textOf } from './project.ts'
import { rowsBelow } from './readme-table.ts'

type Properties = Readonly<Record<string, CommandOption>>

const page = textOf('docs/configuration.md')!
const { MANAGER_PROPERTIES, START_PROPERTIES } = await fromCluster<{
  MANAGER_PROPERTIES: Properties
  START_PROPERTIES: Properties
}>('options')
const names = await fromCluster<OptionNames>('cli/flags')

test('every option of the commands stands in the table, as the code has it, and no other', () => {
  const table = optionTable(MANAGER_PROPERTIES, START_PROPERTIES, names)
  const advice = `put this table into docs/configuration.md:\n${table.join('\n')}\n`
  assert.deepEqual(missingLines(page, table), [], advice)
  const section = page.slice(page.indexOf('\n## Options of the commands'), page.indexOf('\n## Variables'))
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  assert.equal(rows.length, table.length, advice)
})

test('every variable that the code reads is explained, and no other', () => {
  const read = Object.keys(environmentPlaces).flatMap((path) => variablesIn(textOf(path)!))
  assert.ok(read.includes('PORT') && read.includes('AH_BOOT_ID'), `found ${read.join(' ')}`)
  const explained = rowsBelow(page, 'Variables')!.map(({ name }) => name)
  assert.deepEqual([...new Set(read)].sort(), explained.filter((name) => name !== 'FASTIFY_AH_*').sort())
})

test('a row that is missing, or says something else, is found', () => {
  const own: Properties = { drainMs: { description: 'how long', default: 5 }, app: { description: 'the app' } }
  const table = optionTable(own, { app: own['app']! }, { ...names, flagNames: () => ['drainMs'] })
  assert.deepEqual(table.slice(2), [
    '| `drainMs` | `--drain-ms` | `FASTIFY_AH_DRAIN_MS` |  | `5` | how long |',
    '| `app` | argument |  | yes |  | the app |',
  ])
  const text = table.join('\n')
  assert.deepEqual(missingLines(text, table), [])
  assert.deepEqual(missingLines(text.replaceAll(' | ', '    |   '), table), [], 'padded')
  assert.equal(missingLines(text.replace('how long', 'how short'), table).length, 1)
  assert.equal(missingLines(text.replace('`5`', '`6`'), table).length, 1)
  assert.deepEqual(variablesIn(`const { A_B, NODE_ENV } = process.env; all['PORT'] || all['X']`), [
    'A_B',
    'NODE_ENV',
    'PORT',
    'X',
  ])
})

async function fromCluster<Module>(name: string): Promise<Module> {
  return (await import(pathToFileURL(join(root, 'packages/cluster/dist', `${name}.js`)).href)) as Module
}
