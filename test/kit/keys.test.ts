// The names of keys: any name there and back, patterns that match nothing else, what may be a prefix.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import calculateSlot from 'cluster-key-slot'
import { defineOptions } from 'fastify-ah-kit'
import { KeySpace, literal, prefixOptionSchema, scan } from 'fastify-ah-kit/redis'
import { random, scaled, startRedis } from 'fastify-ah-test-support'
import { connected } from './app.ts'

const redis = await startRedis({}, test)

const plain = new KeySpace({ prefix: 'shop:', isTagged: false })
const tagged = new KeySpace({ prefix: 'shop:', isTagged: true })

const names = [
  '',
  'a',
  'a:b',
  '}',
  '}a',
  '{',
  '{}',
  '{a}b',
  'a}:b',
  '{abc}:d',
  '\n',
  'a\r\nb',
  '\0',
  'a\0b',
  '*',
  '?',
  '[a]',
  '\\',
  '\\*',
  ' ',
  '😀',
  'ключ',
  'é',
  'x'.repeat(10_000),
]

/** A name of characters that could go wrong. */
function randomName(): string {
  const characters = ['{', '}', ':', '*', '?', '[', ']', '\\', '\n', '\0', ' ', '^', '-', 'a', 'b', 'é', '😀']
  const length = Math.floor(random() * 12)
  return Array.from({ length }, () => characters[Math.floor(random() * characters.length)]).join('')
}

test('off Cluster keys have the form of ActionHero', () => {
  assert.equal(plain.key('cache', 'a:b'), 'shop:cache:a:b')
  assert.equal(plain.prefix, 'shop:')
})

test('on Cluster the keys of one name share a slot, whatever the name and the kind', () => {
  for (const name of [...names, ...Array.from({ length: scaled(10_000, 500) }, randomName)]) {
    const slots = ['cache', 'lock', 'produce', 'lock-call'].map((kind) => calculateSlot(tagged.key(kind, name)))
    assert.equal(new Set(slots).size, 1, JSON.stringify(name))
  }
  assert.match(tagged.key('cache', 'a'), /^shop:cache:\{[0-9a-z]{3}\}:a$/)
})

test('on Cluster names spread over all slots', () => {
  const slots = Array.from({ length: 20_000 }, (_, i) => calculateSlot(tagged.key('cache', `name-${i}`)))
  const thirds = [0, 0, 0]
  for (const slot of slots) thirds[Math.floor(slot / 5462)]! += 1
  for (const third of thirds) assert.ok(third > 20_000 / 4 && third < 20_000 / 2, String(thirds))
})

test('a name comes back out of its key', () => {
  for (const name of [...names, ...Array.from({ length: scaled(100_000, 5000) }, randomName)]) {
    for (const space of [plain, tagged]) assert.equal(space.nameOf('cache', space.key('cache', name)), name)
  }
})

test('names that Redis must tell apart are told apart, byte by byte', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  for (const space of [plain, tagged]) {
    await redis.command('FLUSHALL')
    for (const [index, name] of names.entries())
      await connection.write('SET', [space.key('cache', name), String(index)])
    assert.equal(await redis.command('DBSIZE'), names.length)
    for (const [index, name] of names.entries()) {
      assert.equal(await connection.read('GET', [space.key('cache', name)]), String(index))
    }
  }
})

test('a pattern finds the names that begin so, and no others', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  const stored = [...new Set([...names, ...Array.from({ length: scaled(4000, 200) }, randomName)])]
  for (const space of [plain, tagged]) {
    await redis.command('FLUSHALL')
    for (const name of stored) {
      // Neighbours that a careless pattern would match.
      for (const kind of ['cache', 'cache-', 'cach', 'lock'])
        await connection.write('SET', [space.key(kind, name), 'x'])
    }
    const prefixes = ['', ...names, ...stored.slice(0, 100).map((name) => [...name].slice(0, 2).join(''))]
    for (const prefix of prefixes) {
      const found = new Set<string>()
      for await (const page of scan(connection, { match: space.pattern('cache', prefix) })) {
        for (const key of page) found.add(space.nameOf('cache', key))
      }
      const expected = stored.filter((name) => name.startsWith(prefix))
      assert.deepEqual([...found].sort(), expected.sort(), JSON.stringify(prefix))
    }
  }
})

test('a literal text matches itself alone', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  await redis.command('FLUSHALL')
  const texts = ['a*b', 'axb', 'a?b', 'a[x]b', 'a\\*b', 'a[^x]b', 'a\\b']
  for (const text of texts) await connection.write('SET', [text, 'x'])
  for (const text of texts) {
    const found: string[] = []
    for await (const page of scan(connection, { match: literal(text) })) found.push(...page)
    assert.deepEqual(found, [text])
  }
})

test('scan goes through all keys in pages, by type if wanted, and stops when told to', async (t) => {
  const { connection } = await connected(t, { redis: redis.url })
  await redis.command('FLUSHALL')
  const count = scaled(100_000, 5000)
  const client = redis.client()
  const batch = client.pipeline()
  for (let i = 0; i < count; i++) batch.set(`many:${i}`, 'x')
  await batch.rpush('many:list', 'x').exec()
  const found = new Set<string>()
  let largest = 0
  for await (const page of scan(connection, { match: 'many:*', count: 5000 })) {
    assert.ok(page.length > 0)
    largest = Math.max(largest, page.length)
    for (const key of page) found.add(key)
  }
  assert.equal(found.size, count + 1)
  assert.ok(largest < 1100, `at most 1000 keys a call, got ${largest}`)
  const lists: string[] = []
  for await (const page of scan(connection, { match: 'many:*', type: 'list' })) lists.push(...page)
  assert.deepEqual(lists, ['many:list'])
  const stop = new AbortController()
  await assert.rejects(
    async () => {
      for await (const _ of scan(connection, { match: 'many:*', signal: stop.signal })) stop.abort(new Error('enough'))
    },
    { message: 'enough' },
  )
  assert.ok(connection.sent.has('scan'))
})

test('[8] a prefix that is empty, or has spaces, braces, globs or control characters, is refused', () => {
  const { parse } = defineOptions<{ prefix: string }>({ package: 'p', properties: { prefix: prefixOptionSchema } })
  assert.equal(parse({}).prefix, 'actionhero:')
  for (const fine of ['shop:', 'a', 'é:', 'my-app.v2/']) assert.equal(parse({ prefix: fine }).prefix, fine)
  for (const wrong of ['', ' ', 'a b', 'a{b', '}', '*', 'a?', '[', ']', '\\', 'a\n', '\0', '\t', '\u007f', '\u00a0']) {
    assert.throws(() => parse({ prefix: wrong }), /option "prefix": expected a text without spaces, braces/)
  }
  assert.throws(() => parse({ prefix: 5 }), { message: 'p: option "prefix": expected string, got 5' })
})
