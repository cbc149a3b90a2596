// Calls from node to node.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PubSub } from 'fastify-ah-pubsub'
import { startRedis, type TestScope, until } from 'fastify-ah-test-support'
import { openPubSub } from './open-pubsub.ts'

const redis = await startRedis({}, test)
let prefixes = 0

/** So many nodes that know of each other. */
async function openNodes(count: number, t: TestScope): Promise<PubSub[]> {
  prefixes += 1
  const prefix = `calls${prefixes}:`
  const nodes: PubSub[] = []
  for (let index = 0; index < count; index += 1) nodes.push(await openPubSub({ redis: redis.url, prefix }, t))
  return nodes
}

/** The table of pending calls is empty: nothing was left behind. */
const nothingPending = (nodes: readonly PubSub[]) => assert.ok(nodes.every((node) => node.stats().pendingCalls === 0))

async function two(t: TestScope): Promise<[PubSub, PubSub]> {
  return (await openNodes(2, t)) as [PubSub, PubSub]
}

describe('call', () => {
  test('the handler on that node gets the arguments and who asks, the caller what it answers', async (t) => {
    const [one, other] = await two(t)
    other.handle('add', async ([a, b]: [number, number], { from }: { from: string }) => ({ sum: a + b, from }))
    one.handle('add', () => 'the wrong node')
    assert.deepEqual(await one.call('add', [1, 2], { node: other.id }), { sum: 3, from: one.id })
    assert.equal(await one.call('add', [1, 2], { node: one.id }), 'the wrong node')
    other.handle('nothing', (args) => {
      assert.equal(args, undefined)
    })
    assert.equal(await one.call('nothing', undefined, { node: other.id }), undefined)
    nothingPending([one, other])
  })

  test('without a node it is one that handles the name; if there is none, that is an error', async (t) => {
    const nodes = await openNodes(3, t)
    nodes[2]?.handle('only.here', () => 'the third')
    // Others hear of it with its next sign of life, which comes at once.
    assert.equal(await until(() => nodes[0]?.call('only.here').catch(() => undefined)), 'the third')
    assert.equal(await nodes[2]?.call('only.here'), 'the third')
    await assert.rejects(nodes[0]!.call('nowhere'), { code: 'AH_PUBSUB_NO_HANDLER' })
    nothingPending(nodes)
  })

  test('[26] a name that was not registered is answered in one round trip, also names that every object has', async (t) => {
    const [one, other] = await two(t)
    other.handle('real', () => 1)
    const names = [
      'constructor',
      'toString',
      '__proto__',
      'hasOwnProperty',
      'valueOf',
      'real ',
      'Real',
      'r',
      'prototype',
    ]
    for (const name of names) {
      await assert.rejects(one.call(name, undefined, { node: other.id, timeoutMs: 60_000 }), {
        code: 'AH_PUBSUB_NOT_ALLOWED',
        statusCode: 404,
      })
    }
    for (const name of ['', 7, null, 'x'.repeat(300)]) {
      await assert.rejects(one.call(name as string, undefined, { node: other.id }), { code: 'AH_PUBSUB_OPTIONS' })
    }
    nothingPending([one, other])
  })

  test('[26] whatever a handler does, the caller hears of it, and nothing is left behind', async (t) => {
    const [one, other] = await two(t)
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const coded = Object.assign(new Error('it is 100% full'), { code: 'E_FULL', statusCode: 507 })
    const frozen = Object.freeze(new Error('frozen'))
    const handlers: Record<string, () => unknown> = {
      throws: () => {
        throw new Error('it broke')
      },
      'throws a coded error': () => Promise.reject(coded),
      'throws a frozen error': () => Promise.reject(frozen),
      'rejects with undefined': () => Promise.reject(undefined),
      'rejects with a text': () => Promise.reject('just text'),
      'rejects with what cannot be shown': () =>
        Promise.reject(new Proxy({}, { getPrototypeOf: () => assert.fail('trap') })),
      'answers a cycle': () => cycle,
      'answers a BigInt': () => 1n,
      'answers too much': () => 'x'.repeat(2_000_000),
    }
    for (const [name, handler] of Object.entries(handlers)) other.handle(name, handler)
    const errorOf = (name: string) =>
      one.call(name, undefined, { node: other.id }).then(
        () => assert.fail(name),
        (error) => error,
      )
    const errors: [name: string, code: string, message: RegExp][] = [
      ['throws', 'AH_PUBSUB_CALL_FAILED', /^it broke$/],
      ['throws a coded error', 'E_FULL', /^it is 100% full$/],
      ['throws a frozen error', 'AH_PUBSUB_CALL_FAILED', /^frozen$/],
      ['rejects with undefined', 'AH_PUBSUB_CALL_FAILED', /undefined/],
      ['rejects with a text', 'AH_PUBSUB_CALL_FAILED', /^just text$/],
      ['rejects with what cannot be shown', 'AH_PUBSUB_CALL_FAILED', /cannot be looked at/],
      ['answers a cycle', 'AH_PUBSUB_DATA', /circular/],
      ['answers a BigInt', 'AH_PUBSUB_DATA', /BigInt/],
      ['answers too much', 'AH_PUBSUB_TOO_LARGE', /maxMessageBytes/],
    ]
    for (const [name, code, message] of errors) {
      const error = await errorOf(name)
      assert.deepEqual([error.code, error.node], [code, other.id], name)
      assert.match(error.message, message)
      assert.ok(error instanceof Error)
    }
    assert.equal((await errorOf('throws a coded error')).statusCode, 507)
    nothingPending([one, other])
  })

  test('[26] a handler that never answers: a timeout that names the node; its signal is aborted', async (t) => {
    const [one, other] = await two(t)
    let signal: AbortSignal | undefined
    other.handle('hangs', (_args, info) => {
      signal = info.signal
      return new Promise(() => undefined)
    })
    const error = (await one
      .call('hangs', undefined, { node: other.id, timeoutMs: 100 })
      .catch((thrown: NodeJS.ErrnoException) => thrown)) as NodeJS.ErrnoException
    assert.equal(error.code, 'AH_PUBSUB_CALL_TIMEOUT')
    assert.ok(error.message.includes(other.id))
    await until(() => signal?.aborted)
    nothingPending([one, other])
  })

  test('[26] a node that is not there is named, at once', async (t) => {
    const [one] = await two(t)
    const error = (await one
      .call('x', undefined, { node: 'nobody', timeoutMs: 60_000 })
      .catch((thrown: NodeJS.ErrnoException) => thrown)) as NodeJS.ErrnoException
    assert.equal(error.code, 'AH_PUBSUB_NODE_GONE')
    assert.ok(error.message.includes('nobody'))
    nothingPending([one])
  })

  test('arguments that cannot be sent, or do not fit the schema, are refused', async (t) => {
    const [one, other] = await two(t)
    let calls = 0
    const schema = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }
    other.handle('checked', { schema }, () => {
      calls += 1
    })
    const call = (args: unknown) => one.call('checked', args, { node: other.id })
    await assert.rejects(call({ id: '7' }), { code: 'AH_PUBSUB_INVALID', message: /id must be integer/ })
    await assert.rejects(call(undefined), { code: 'AH_PUBSUB_INVALID' })
    await assert.rejects(
      call(() => 1),
      { code: 'AH_PUBSUB_DATA' },
    )
    await assert.rejects(call({ id: 1n }), { code: 'AH_PUBSUB_DATA' })
    assert.equal(calls, 0)
    await call({ id: 7 })
    assert.equal(calls, 1)
    nothingPending([one, other])
  })

  test('wrong options are refused, a name is handled once, and a handler can be taken back', async (t) => {
    const [one] = await two(t)
    const takeBack = one.handle('x', () => 1)
    assert.throws(() => one.handle('x', () => 2), { code: 'AH_PUBSUB_HANDLER_TAKEN' })
    assert.throws(() => one.handle('y', 7 as never), { code: 'AH_PUBSUB_OPTIONS' })
    assert.throws(() => one.handle('y', { shema: {} } as never, () => 1), { code: 'AH_PUBSUB_OPTIONS' })
    assert.throws(() => one.handle('y', { schema: { type: 'nonsense' } }, () => 1), { code: 'AH_PUBSUB_SCHEMA' })
    for (const timeoutMs of [0, -1, 1.5, '5', Number.NaN, 1e9]) {
      await assert.rejects(one.call('x', 1, { timeoutMs: timeoutMs as number }), { code: 'AH_PUBSUB_OPTIONS' })
    }
    await assert.rejects(one.call('x', 1, { nodes: 'all' } as never), { code: 'AH_PUBSUB_OPTIONS' })
    await assert.rejects(one.call('x', 1, { node: 7 as never }), { code: 'AH_PUBSUB_OPTIONS' })
    takeBack()
    takeBack()
    await assert.rejects(one.call('x', 1, { node: one.id }), { code: 'AH_PUBSUB_NOT_ALLOWED' })
    one.handle('x', () => 2)
    assert.equal(await one.call('x', 1, { node: one.id }), 2)
  })
})

describe('callAll', () => {
  test('each live node answers, its result or why there is none, in the order of the list', async (t) => {
    const nodes = await openNodes(3, t)
    nodes[0]?.handle('who', () => 'first')
    nodes[1]?.handle('who', () => Promise.reject(Object.assign(new Error('not me'), { code: 'E_NOT_ME' })))
    const answers = await nodes[2]!.callAll('who')
    const listed = await nodes[2]!.nodes()
    assert.deepEqual(
      answers.map(({ node }) => node),
      listed.map(({ id }) => id),
    )
    const byNode = new Map(
      answers.map((answer) => [
        answer.node,
        'error' in answer ? (answer.error as Error & { code: string }).code : answer.result,
      ]),
    )
    assert.equal(byNode.get(nodes[0]!.id), 'first')
    assert.equal(byNode.get(nodes[1]!.id), 'E_NOT_ME')
    assert.equal(byNode.get(nodes[2]!.id), 'AH_PUBSUB_NOT_ALLOWED')
    nothingPending(nodes)
  })

  test('no handler anywhere is an error', async (t) => {
    const nodes = await openNodes(2, t)
    await assert.rejects(nodes[0]!.callAll('nowhere'), {
      code: 'AH_PUBSUB_NOT_ALLOWED',
      message: /none of the 2 live nodes/,
    })
    nothingPending(nodes)
  })

  test('[26] one of the nodes is silent: the others answer, and it is named', async (t) => {
    const nodes = await openNodes(4, t)
    for (const [index, node] of nodes.entries()) {
      node.handle('who', () => (index === 3 ? new Promise(() => undefined) : index))
    }
    const answers = await nodes[0]!.callAll('who', undefined, { timeoutMs: 300 })
    assert.equal(answers.filter((answer) => 'result' in answer).length, 3)
    const [missing] = answers.filter((answer) => 'error' in answer)
    assert.equal(missing?.node, nodes[3]?.id)
    nothingPending(nodes)
  })
})
