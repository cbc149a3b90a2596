// Every package as its reader gets it: packed, installed in an empty folder as its README says, compiled, loaded, and run.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { httpGet, nodes, type SpawnedNode, spawnNode, tempDir, until } from 'fastify-ah-test-support'
import { Consumer } from './consumer.ts'
import { type Instructions, instructionsOf } from './readme.ts'
import { packAll, readmeOf, type Tarball } from './tarballs.ts'

const base = tempDir(test).path
const destination = join(base, 'tarballs')
mkdirSync(destination)
const tarballs = await packAll(destination)
const installs = new Map<string, PromiseSettledResult<Installed>>()
const queue = [...tarballs]
// Two at a time: npm is busy with one processor, and waits for the registry.
await Promise.all([installNext(), installNext()])

for (const { name, folder, entries, isPlugin } of tarballs) {
  const installed = () => {
    const result = installs.get(name)
    assert.equal(result?.status, 'fulfilled', `${name} could not be installed`)
    return result.value
  }

  test(`${name} installs as its README says`, () => {
    const result = installs.get(name)
    if (result?.status === 'rejected') throw result.reason
    const named = installed().instructions.installs
    assert.ok(named.includes(name), `npm install ${named.join(' ')} lacks ${name}`)
  })

  for (const resolution of entries.length > 0 ? (['nodenext', 'bundler'] as const) : []) {
    test(`${name}: the types of a consumer compile with ${resolution}`, async () => {
      await installed().consumer.compile(resolution, new URL(`../consumers/${folder}.mts`, import.meta.url))
    })
  }

  for (const { version, path } of entries.length > 0 ? nodes() : []) {
    test(`${name}: import and require give the same on Node ${version}`, async (t) => {
      const { consumer } = installed()
      const script = consumer.take(new URL('../consumers/load-both-ways.js', import.meta.url))
      const child = spawnNode(script, { args: entries, node: path, cwd: consumer.folder }, t)
      assert.deepEqual(await child.exited, { code: 0, signal: null }, child.stderr())
      const loaded = JSON.parse(child.stdout()) as Record<
        string,
        { isSame: boolean; plugin: string | null; names: string[] }
      >
      for (const entry of entries) {
        const { isSame, plugin, names } = loaded[entry]!
        assert.ok(isSame, `require('${entry}') is not what import gives`)
        if (isPlugin && entry === name) {
          assert.equal(plugin, name, 'the default export is a plugin with the name of the package')
          assert.ok(names.includes(camelCased(name)), `${camelCased(name)} is not among ${names.join(', ')}`)
        }
      }
    })
  }

  for (const { version, path } of nodes()) {
    test(`${name}: the first example of its README runs on Node ${version}`, async (t) => {
      const { consumer, instructions } = installed()
      const { example, command } = instructions
      const file = consumer.write(example.file, example.code)
      const options = { node: path, cwd: consumer.folder }
      const [bin, ...args] = command ?? []
      const child =
        bin === undefined ? spawnNode(file, options, t) : spawnNode(binOf(consumer, bin), { ...options, args }, t)
      await shows(child, instructions)
    })
  }
}

interface Installed {
  readonly consumer: Consumer
  readonly instructions: Instructions
}

async function installNext(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [result] = await Promise.allSettled([install(next)])
    installs.set(next.name, result)
  }
}

async function install(tarball: Tarball): Promise<Installed> {
  const instructions = instructionsOf(readmeOf(tarball))
  return { consumer: await Consumer.install(base, tarball.folder, instructions, tarballs), instructions }
}

function binOf(consumer: Consumer, bin: string): string {
  const file = consumer.manifestOf(bin).bin?.[bin]
  assert.ok(file !== undefined, `${bin} has no bin of that name`)
  return join(consumer.folder, 'node_modules', bin, file)
}

function camelCased(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** The program prints what the README says, answers on its routes, and ends by itself or when it is told to. */
async function shows(child: SpawnedNode, { example, command }: Instructions): Promise<void> {
  for (const text of example.prints) await child.waitForLine(new RegExp(`^${escaped(text)}$`))
  const port = Number(flagOf(command, '--port') ?? example.port)
  if (Number.isNaN(port)) {
    assert.deepEqual(await child.exited, { code: 0, signal: null }, child.stderr())
    return
  }
  await until(() => isListening(port), { what: `a listener on port ${port}` })
  for (const path of example.paths) {
    const { status, body } = await httpGet({ port }, { path })
    assert.equal(status, 200, `${path} answered ${body}`)
  }
  child.kill('SIGTERM')
  const { code, signal } = await child.exited
  assert.ok(code === 0 || signal === 'SIGTERM', `it ended with ${code ?? signal}\n${child.stderr()}`)
}

function flagOf(command: readonly string[] | undefined, flag: string): string | undefined {
  const place = command?.indexOf(flag) ?? -1
  return place === -1 ? undefined : command?.[place + 1]
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
