// The contract of dumpWrite and dumpRead.
import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { random, scaled, tempDir, until } from 'fastify-ah-test-support'
import type { CacheUnderTest } from './cache-under-test.ts'

const broken = { code: 'AH_CACHE_DUMP_BROKEN' }

export function dumpContract({ cache, redis, valueKey }: CacheUnderTest): void {
  test('[19] a dump brings back values and lists with their ends, in a file for its owner alone', async (t) => {
    const { path } = tempDir(t)
    const file = `${path}/dump`
    await cache.clear()
    await cache.save('plain', { a: ['é', '\n'] })
    await cache.save('ending', 1, 600_000)
    await cache.save('odd\n*{}😀', 2)
    for (const item of [1, 'two', [3]]) await cache.push('list', item)
    await cache.push('ending list', 1)
    await redis.pexpire(valueKey('ending list'), 600_000)
    const bytes = await redis.get(valueKey('plain'))
    await writeFile(file, 'an older one', { mode: 0o644 })

    assert.equal(await cache.dumpWrite(file), 5)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(path), ['dump'])
    assert.equal(await cache.size(), 5, 'writing changes nothing')

    await cache.clear()
    await cache.save('another', 'is replaced')
    assert.equal(await cache.dumpRead(file), 5)
    assert.deepEqual((await cache.keys()).sort(), ['ending', 'ending list', 'list', 'odd\n*{}😀', 'plain'])
    assert.equal(await redis.get(valueKey('plain')), bytes)
    assert.equal(await redis.pttl(valueKey('plain')), -1)
    assert.equal(await redis.pttl(valueKey('list')), -1)
    for (const key of ['ending', 'ending list']) {
      const left = await redis.pttl(valueKey(key))
      assert.ok(left > 500_000 && left <= 600_000, `${key}: ${left}`)
    }
    assert.deepEqual([await cache.pop('list'), await cache.pop('list'), await cache.pop('list')], [1, 'two', [3]])
  })

  test('[19] what has ended since the dump was written is left out', async (t) => {
    const file = `${tempDir(t).path}/dump`
    await cache.clear()
    await Promise.all([cache.save('stays', 1), cache.save('ends', 2, 1_500), cache.push('ends too', 3)])
    await redis.pexpire(valueKey('ends too'), 1_500)
    assert.equal(await cache.dumpWrite(file), 3)
    await until(async () => (await cache.size()) === 1)
    assert.equal(await cache.dumpRead(file), 1)
    assert.deepEqual(await cache.keys(), ['stays'])
  })

  test('a list longer than one part comes back whole and in its order', async (t) => {
    const file = `${tempDir(t).path}/dump`
    await cache.clear()
    const numbers = Array.from({ length: 1_250 }, (_, index) => index)
    for (const [key, count] of [
      ['long', 1_250],
      ['even', 1_000],
      ['short', 500],
    ] as const) {
      await Promise.all(numbers.slice(0, count).map((number) => cache.push(key, number)))
    }
    assert.equal(await cache.dumpWrite(file), 3)
    assert.equal(await cache.dumpRead(file), 3)
    for (const [key, count] of [
      ['long', 1_250],
      ['even', 1_000],
      ['short', 500],
    ] as const) {
      assert.equal(await cache.listLength(key), count)
      const popped = await Promise.all(numbers.slice(0, count).map(() => cache.pop(key)))
      assert.deepEqual(popped, numbers.slice(0, count))
    }
    assert.equal(await cache.size(), 0)
  })

  test('an empty cache is dumped and read', async (t) => {
    const file = `${tempDir(t).path}/dump`
    await cache.clear()
    assert.equal(await cache.dumpWrite(file), 0)
    await cache.save('k', 1)
    assert.equal(await cache.dumpRead(file), 0)
    assert.equal(await cache.size(), 0)
  })

  test('[19] a dump cut at any place, or changed by one letter, changes nothing', async (t) => {
    const { path } = tempDir(t)
    const file = `${path}/dump`
    await cache.clear()
    for (const key of ['a', 'b', 'c']) await cache.save(key, `value of ${key}`)
    await cache.push('list', 1)
    await cache.dumpWrite(file)
    const whole = await readFile(file)
    await cache.save('a', 'newer')
    // The last byte is the end of the last line: without it nothing is missing.
    const places = Array.from({ length: whole.length - 1 }, (_, place) => place)
    const isTried = (place: number) => place < 2 || place > places.length - 3 || random() < scaled(1000, 100) / 1000
    for (const length of places.filter(isTried)) {
      await writeFile(`${path}/cut`, whole.subarray(0, length))
      await assert.rejects(cache.dumpRead(`${path}/cut`), broken, `cut after ${length} of ${whole.length} bytes`)
    }
    for (const position of places.filter(isTried)) {
      const changed = Buffer.from(whole)
      changed[position] = changed[position]! ^ 1
      await writeFile(`${path}/changed`, changed)
      await assert.rejects(cache.dumpRead(`${path}/changed`), broken, `changed at ${position}`)
    }
    await appendFile(file, '{"key":"d","value":"more"}\n')
    await assert.rejects(cache.dumpRead(file), broken)
    assert.equal(await cache.get('a'), 'newer')
    assert.equal(await cache.size(), 4)
  })

  test('[19] a foreign file changes nothing', async (t) => {
    const file = `${tempDir(t).path}/foreign`
    await cache.clear()
    await cache.save('kept', 1)
    const foreign = [
      '{}',
      '[]',
      'null',
      '{"name":"a package"}',
      '{"actionhero:cache:k":"no entry"}',
      '{"actionhero:cache:k":{"value":1,"createdAt":1}}',
      '{"actionhero:cache:":"{\\"value\\":1,\\"createdAt\\":1}"}',
      '{"other:k":"{\\"value\\":1,\\"createdAt\\":1}"}',
      '{"__proto__":"{\\"value\\":1,\\"createdAt\\":1}"}',
      '{"format":"fastify-ah-cache dump","version":2}\n',
      'GIF89a\u0000\u0001',
      '\n\n\n',
      'x'.repeat(300_000),
    ]
    for (const text of foreign) {
      await writeFile(file, text)
      await assert.rejects(cache.dumpRead(file), broken, text.slice(0, 40))
    }
    assert.equal(await cache.get('kept'), 1)
  })

  test('a file that cannot be written or read is an error with its cause, and leaves nothing behind', async (t) => {
    const { path } = tempDir(t)
    const noFile = { code: 'AH_CACHE_DUMP_FILE' }
    await cache.save('kept', 1)
    for (const file of [`${path}/no/such/folder`, path, '', undefined] as string[]) {
      await assert.rejects(cache.dumpWrite(file), noFile)
      await assert.rejects(cache.dumpRead(file), noFile)
    }
    await assert.rejects(cache.dumpRead(`${path}/missing`), (error: Error) => {
      assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOENT')
      return true
    })
    assert.deepEqual(await readdir(path), [])
    assert.equal(await cache.get('kept'), 1)
  })
}
