// One thing per app, found from any scope and by any copy of the kit.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import { foundInApp, identity, lifecycleOf, oncePerApp, rootOf } from 'fastify-ah-kit'
import { spawnNode, tempDir } from 'fastify-ah-test-support'

/** Another installed copy of the kit: the same files in another folder. */
function copyOfTheKit(folder: string): Promise<typeof import('fastify-ah-kit')> {
  const kit = dirname(dirname(fileURLToPath(import.meta.resolve('fastify-ah-kit'))))
  const copy = join(folder, 'kit')
  mkdirSync(copy)
  cpSync(join(kit, 'dist'), join(copy, 'dist'), { recursive: true })
  cpSync(join(kit, 'package.json'), join(copy, 'package.json'))
  symlinkSync(join(kit, 'node_modules'), join(copy, 'node_modules'))
  return import(pathToFileURL(join(copy, 'dist', 'index.js')).href)
}

test('the root is found from any depth of scopes', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  assert.equal(rootOf(app), app)
  const scopes: FastifyInstance[] = []
  await app.register(async (child) => {
    scopes.push(child)
    await child.register(async (grandchild) => {
      scopes.push(grandchild)
    })
  })
  await app.ready()
  assert.equal(scopes.length, 2)
  for (const scope of scopes) {
    assert.notEqual(scope, app)
    assert.equal(rootOf(scope), app)
  }
})

test('a thing is made once per app, whichever scope asks first, and on the root', async (t) => {
  const app = Fastify()
  const other = Fastify()
  t.after(() => Promise.all([app.close(), other.close()]))
  let made = 0
  const make = (root: FastifyInstance) => {
    made += 1
    return { root }
  }
  assert.equal(foundInApp(app, 'thing'), undefined)
  await app.register(async (child) => {
    assert.equal(oncePerApp(child, 'thing', make).root, app)
    assert.equal(foundInApp(child, 'thing'), foundInApp(app, 'thing'))
  })
  await app.ready()
  assert.equal(oncePerApp(app, 'thing', make).root, app)
  assert.equal(made, 1)
  assert.equal(oncePerApp(other, 'thing', make).root, other)
  assert.equal(foundInApp(app, 'other thing'), undefined)
})

test('two copies of the kit find the same things, the same errors and the same identity', async (t) => {
  const copy = await copyOfTheKit(tempDir(t).path)
  assert.notEqual(copy.oncePerApp, oncePerApp)
  const app = Fastify()
  t.after(() => app.close())
  const made = oncePerApp(app, 'thing', () => ({}))
  assert.equal(
    copy.oncePerApp(app, 'thing', () => assert.fail('made twice')),
    made,
  )
  assert.equal(copy.foundInApp(app, 'thing'), made)
  assert.equal(copy.lifecycleOf(app), lifecycleOf(app))
  assert.equal(copy.identity(), identity())
  const { AH_KIT_OPTIONS } = await import('fastify-ah-kit')
  assert.ok(new copy.AH_KIT_OPTIONS('x') instanceof AH_KIT_OPTIONS)
})

test('the identity stays, is frozen, and names the process', () => {
  const { bootId, title, host, pid } = identity()
  assert.equal(identity(), identity())
  assert.ok(Object.isFrozen(identity()))
  assert.equal(pid, process.pid)
  assert.equal(title, `${host}-${pid}`)
  assert.match(bootId, /^[0-9a-f-]{36}$/)
})

test('[33] the manager says what a process is called; what that process starts has an id of its own', async (t) => {
  const env = { AH_BOOT_ID: 'boot-1', ACTIONHERO_TITLE: 'web-1', ACTIONHERO_ROLE: 'web' }
  const child = spawnNode(new URL('./programs/identities.js', import.meta.url), { env }, t)
  await child.exited
  const [own, again, ofThread, ofChild] = child
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual({ ...own, host: '' }, { bootId: 'boot-1', title: 'web-1', role: 'web', host: '', pid: child.pid })
  assert.deepEqual(again, own)
  assert.equal(ofThread.title, 'web-1')
  assert.equal(new Set([own.bootId, ofThread.bootId, ofChild.bootId]).size, 3)
})

test('[33] without a manager every start has an id of its own, and empty variables count as unset', async (t) => {
  const env = { AH_BOOT_ID: '', ACTIONHERO_TITLE: '', ACTIONHERO_ROLE: '' }
  const program = new URL('./programs/identities.js', import.meta.url)
  const children = [spawnNode(program, { env }, t), spawnNode(program, { env }, t)]
  const ids = new Set<string>()
  for (const child of children) {
    await child.exited
    const own = JSON.parse(child.stdout().split('\n')[0]!)
    assert.equal(own.title, `${own.host}-${child.pid}`)
    assert.equal(own.role, undefined)
    ids.add(own.bootId)
  }
  assert.equal(ids.size, 2)
})
