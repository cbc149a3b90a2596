// The command: what it prints, what it changes, and how it ends.
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { runNode, startRedis, startRedisCluster, type TestScope, tempDir } from 'fastify-ah-test-support'
import { openCache } from './open-cache.ts'

const redis = await startRedis({}, test)
const cache = await openCache({ redis: redis.url }, test)
const program = new URL('./programs/cli.js', import.meta.url)

const run = (args: readonly string[], scope: TestScope, env: Record<string, string> = {}) =>
  runNode(program, { args, env }, scope)
const onRedis = (args: readonly string[], scope: TestScope) => run([...args, '--redis', redis.url], scope)

describe('commands', () => {
  test('keys lists the keys in order, one a line', async (t) => {
    await cache.clear()
    await Promise.all([cache.save('b', 1), cache.save('a 1', 2), cache.push('a 2', 3), cache.save('line\nbreak', 4)])
    assert.deepEqual(await onRedis(['keys'], t), { code: 0, stdout: 'a 1\na 2\nb\n"line\\nbreak"\n', stderr: '' })
    assert.equal((await onRedis(['keys', 'a'], t)).stdout, 'a 1\na 2\n')
    assert.deepEqual(JSON.parse((await onRedis(['keys', '--json'], t)).stdout), ['a 1', 'a 2', 'b', 'line\nbreak'])
    assert.deepEqual(await onRedis(['keys', 'none'], t), { code: 0, stdout: '', stderr: '' })
  })

  test('get prints a value as JSON; what is not there is exit code 1', async (t) => {
    await cache.save('k', { a: [1] })
    assert.deepEqual(JSON.parse((await onRedis(['get', 'k'], t)).stdout), { a: [1] })
    const entry = JSON.parse((await onRedis(['get', 'k', '--json'], t)).stdout)
    assert.deepEqual([entry.key, entry.value, typeof entry.createdAt], ['k', { a: [1] }, 'number'])
    assert.deepEqual(await onRedis(['get', 'missing'], t), { code: 1, stdout: '', stderr: '' })
    assert.deepEqual(await onRedis(['get', 'missing', '--json'], t), { code: 1, stdout: 'null\n', stderr: '' })
  })

  test('a key that looks like a flag stands behind --', async (t) => {
    await cache.save('-x', 1)
    assert.equal((await run(['get', '--redis', redis.url, '--', '-x'], t)).stdout, '1\n')
    await cache.destroy('-x')
  })

  test('del removes keys, and says how many', async (t) => {
    await Promise.all([cache.save('x', 1), cache.push('y', 1)])
    assert.deepEqual(await onRedis(['del', 'x', 'y', 'z'], t), { code: 0, stdout: '2 removed\n', stderr: '' })
    assert.deepEqual(await onRedis(['del', 'x', '--json'], t), { code: 1, stdout: '{"removed":0}\n', stderr: '' })
  })

  test('clear removes what begins with a text, and everything only when that is said', async (t) => {
    await cache.clear()
    await Promise.all(['p 1', 'p 2', 'q'].map((key) => cache.save(key, 1)))
    assert.equal((await onRedis(['clear', 'p'], t)).stdout, '2 removed\n')
    for (const args of [['clear'], ['clear', '']]) assert.equal((await onRedis(args, t)).code, 2)
    assert.deepEqual(await cache.keys(), ['q'])
    assert.equal((await onRedis(['clear', '--all', '--json'], t)).stdout, '{"removed":1}\n')
    assert.equal(await cache.size(), 0)
  })

  test('dump and load take everything along, below the prefix alone', async (t) => {
    const file = `${tempDir(t).path}/dump`
    const other = await openCache({ redis: redis.url, prefix: 'other:' }, t)
    await cache.clear()
    await Promise.all([cache.save('k', 1, 600_000), cache.push('l', 2), other.save('o', 3)])
    assert.equal((await onRedis(['dump', file], t)).stdout, `2 written to ${file}\n`)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    await cache.clear()
    assert.equal((await onRedis(['load', file, '--prefix', 'copy:'], t)).stdout, `2 read from ${file}\n`)
    assert.equal((await onRedis(['get', 'k', '--prefix', 'copy:'], t)).stdout, '1\n')
    assert.equal(await cache.size(), 0)
    assert.equal(await other.get('o'), 3)
    const broken = await onRedis(['load', `${file}-missing`], t)
    assert.equal(broken.code, 1)
    assert.match(broken.stderr, /^fastify-ah cache: .*\(AH_CACHE_DUMP_FILE\)\n$/)
  })

  test('a key that another locked is an error with its code', async (t) => {
    await cache.save('locked', 1)
    await cache.lock('locked', 60_000)
    const { code, stderr } = await onRedis(['get', 'locked'], t)
    assert.equal(code, 1)
    assert.match(stderr, /AH_CACHE_LOCKED/)
    await cache.unlock('locked')
  })
})

describe('where', () => {
  test('REDIS_URL is used where --redis is not given, and without either nothing is', async (t) => {
    await cache.save('here', 'it is')
    assert.equal((await run(['get', 'here'], t, { REDIS_URL: redis.url })).stdout, '"it is"\n')
    const { code, stderr } = await run(['keys'], t)
    assert.equal(code, 2)
    assert.match(stderr, /--redis or set REDIS_URL/)
  })

  test('a Redis that is not there is one line and exit code 1', async (t) => {
    const gone = await startRedis({}, t)
    await gone.stop()
    const { code, stderr } = await run(['keys', '--redis', gone.url], t)
    assert.equal(code, 1)
    assert.match(stderr, /^fastify-ah cache: .*\(AH_KIT_REDIS_BOOT\)\n$/)
  })

  test('several addresses are nodes of a Redis Cluster', async (t) => {
    const cluster = await startRedisCluster({}, t)
    const urls = cluster.nodes.map(({ host, port }) => `redis://${host}:${port}`).join()
    const onCluster = await openCache(
      { redis: { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) } },
      t,
    )
    await Promise.all(['a', 'b', 'c'].map((key) => onCluster.save(key, key)))
    assert.equal((await run(['keys', '--redis', urls], t)).stdout, 'a\nb\nc\n')
  })
})

test('help is printed; a wrong command line is exit code 2 and says what is wrong', async (t) => {
  for (const args of [['--help'], ['-h'], ['help'], ['keys', '--help']]) {
    const { code, stdout } = await run(args, t)
    assert.equal(code, 0)
    assert.match(stdout, /fastify-ah cache keys/)
  }
  for (const [args, message] of [
    [[], /expected a command: keys, get/],
    [['kyes'], /unknown command "kyes"; did you mean "keys"/],
    [['constructor'], /unknown command/],
    [['get'], /get needs a key/],
    [['dump'], /dump needs a file/],
    [['get', 'a', 'b'], /get takes one argument/],
    [['keys', '--jsn'], /--jsn/],
    [['keys', '--all'], /--all belongs to clear/],
    [['clear', 'a', '--all'], /either a beginning or --all/],
    [['keys', '--prefix', 'a b', '--redis', redis.url], /option "prefix"/],
    [['keys', '--redis', 'localhost:6379'], /expected a URL such as redis:/],
  ] as const) {
    const { code, stderr, stdout } = await run(args, t)
    assert.deepEqual([code, stdout], [2, ''], args.join(' '))
    assert.match(stderr, message)
  }
})
