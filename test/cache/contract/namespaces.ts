// The contract of namespace and withOwner: the same cache, with a horizon.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tempDir } from 'fastify-ah-test-support'
import { type CacheUnderTest, freshName } from './cache-under-test.ts'

export function namespaceContract({ cache, redis, valueKey, lockKey }: CacheUnderTest): void {
  test('a namespace keeps the same key apart from its parent and its siblings', async () => {
    const [one, two] = [cache.namespace(freshName('one')), cache.namespace(freshName('two'))]
    const all = [cache, one, two, one.namespace('inner')]
    for (const [index, each] of all.entries()) {
      await each.save('same', index)
      await each.push('same list', index)
      assert.equal(await each.lock('same'), true)
    }
    for (const [index, each] of all.entries()) {
      assert.equal(await each.get('same'), index)
      assert.equal(await each.listLength('same list'), 1)
      assert.equal(await each.pop('same list'), index)
      assert.equal(await each.unlock('same'), true)
    }
  })

  test('a key in a namespace lies below the name of the namespace', async () => {
    const name = freshName('below')
    await cache.namespace(name).namespace('inner').save('k', 1)
    await cache.namespace(name).lock('k')
    assert.equal(await redis.exists(valueKey(`${name}:inner:k`)), 1)
    assert.equal(await redis.exists(lockKey(`${name}:k`)), 1)
    assert.equal(await cache.get(`${name}:inner:k`), 1)
  })

  test('keys, size, clear, locks and dumps of a namespace see nothing else', async (t) => {
    const name = freshName('seen')
    const inside = cache.namespace(name)
    const beside = cache.namespace(`${name}2`)
    await Promise.all([inside.save('a', 1), inside.save('b', 2), beside.save('a', 3), cache.save(name, 4)])
    await Promise.all([inside.lock('a'), beside.lock('a'), cache.lock(name)])
    assert.deepEqual((await inside.keys()).sort(), ['a', 'b'])
    assert.deepEqual(await inside.keys('a'), ['a'])
    assert.equal(await inside.size(), 2)
    assert.deepEqual(
      (await inside.locks()).map(({ key }) => key),
      ['a'],
    )
    const file = `${tempDir(t).path}/dump`
    assert.equal(await inside.dumpWrite(file), 2)
    assert.equal(await inside.clear(), 2)
    assert.deepEqual([await beside.get('a'), await cache.get(name)], [3, 4])
    assert.equal(await inside.dumpRead(file), 2)
    assert.equal(await beside.get('a'), 3)
    const copy = cache.namespace(`${name} copy`)
    assert.equal(await copy.dumpRead(file), 2)
    assert.deepEqual([await copy.get('a'), await inside.get('b')], [1, 2])
  })

  test('a key cannot lead out of its namespace', async () => {
    const name = freshName('jail')
    const inside = cache.namespace(name)
    for (const key of [':', '..', '../x', `:${name}2:a`, '}:x', '*', '\n']) {
      await inside.save(key, 1)
      assert.equal(await redis.exists(valueKey(`${name}:${key}`)), 1)
    }
    assert.equal(await inside.clear('*'), 1)
    assert.equal(await inside.clear(), 6)
  })

  test('a name that could be taken for another namespace is refused', () => {
    for (const name of [
      '',
      ':',
      'a:b',
      'a:',
      'nul\u0000',
      'line\n',
      '\ud83d',
      'x'.repeat(257),
      undefined,
      7,
    ] as string[]) {
      assert.throws(() => cache.namespace(name), { code: 'AH_CACHE_NAMESPACE' })
    }
    assert.doesNotThrow(() => cache.namespace('Größe *?[]{} 😀'))
  })

  test('owner and namespace combine in either order', async () => {
    const name = freshName('both')
    const first = cache.withOwner('me').namespace(name)
    const second = cache.namespace(name).withOwner('me')
    assert.equal(await first.lock('k'), true)
    assert.equal(await second.checkLock('k'), true)
    assert.equal(await cache.namespace(name).checkLock('k'), false)
    assert.deepEqual([first.owner, second.owner], ['me', 'me'])
    assert.equal(await second.unlock('k'), true)
  })
}
