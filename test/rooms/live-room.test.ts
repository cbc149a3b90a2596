// One room on one node, with a Redis that answers when the test says so: what comes early, late, or never.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'fastify-ah-test-support'

const { LiveRoom } = (await import(
  new URL('../../../packages/rooms/dist/live-room.js', import.meta.url).href
)) as typeof import('../../packages/rooms/dist/live-room.js')
const { Recent } = (await import(
  new URL('../../../packages/rooms/dist/recent.js', import.meta.url).href
)) as typeof import('../../packages/rooms/dist/recent.js')

type Member = Parameters<InstanceType<typeof LiveRoom>['join']>[0]

/** A room whose history the test writes; `change` answers at once, or when `isHeld` is over. */
function open() {
  const history: string[] = []
  const got = new Map<string, string[]>()
  const gaps: string[] = []
  const state = {
    epoch: 'e',
    looks: 0,
    release: undefined as (() => void) | undefined,
    isHeld: false,
  }
  const later = (last: string) => history.filter((id) => Number(id.split('-')[0]) > Number(last.split('-')[0]))
  const room = new LiveRoom({
    name: 'lobby',
    store: {
      change: async (_, wishes) => {
        const answers = wishes.map(({ what, heard }) => {
          if (what === 'look') state.looks += 1
          const ids = heard === undefined || !history.includes(heard.last) ? undefined : later(heard.last)
          const missed = ids === undefined ? undefined : { ids, texts: ids }
          return { epoch: state.epoch, last: history.at(-1) ?? '0-0', missed, isNew: true }
        })
        if (state.isHeld) {
          await new Promise<void>((resolve) => {
            state.release = resolve
          })
        }
        return answers
      },
    },
    log: { debug: () => undefined, error: (what: unknown) => assert.fail(String(what)) } as never,
    deliver: (_, to, { texts }) => {
      for (const { id } of to) got.set(id, [...(got.get(id) ?? []), ...texts])
    },
    onGap: (_, to) => {
      for (const { id } of to) gaps.push(id)
    },
    onGone: () => undefined,
    onStrange: () => assert.fail('a frame was not understood'),
  })
  const frame = (prev: string, ids: string[], epoch = state.epoch) =>
    room.hear(Buffer.from([`ah1 said ${epoch} ${prev}`, ...ids.flatMap((id) => [id, id])].join('\n')))
  const join = (id: string) => room.join({ id } as Member, '{}', undefined, () => undefined)
  return { room, history, got, gaps, state, frame, join }
}

test('what belongs to another life of the room, or follows on nothing, is asked for once and then let go', async () => {
  const { history, got, state, frame, join } = open()
  history.push('1-0')
  await join('ada')
  frame('1-0', ['9-0'], 'before')
  frame('7-0', ['8-0'])
  await until(() => state.looks > 0)
  // Time is the subject: what would be asked for again and again.
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(state.looks <= 3, `${state.looks} looks`)
  history.push('10-0')
  frame('1-0', ['10-0'])
  assert.deepEqual(got.get('ada'), ['10-0'])
})

test('[5] a master that was frozen and comes back says again what its successor has said: nobody hears it twice', async () => {
  const { history, got, state, frame, join } = open()
  history.push('1-0', '2-0')
  await join('ada')
  history.push('3-0')
  frame('2-0', ['3-0'])
  // It was frozen behind 1-0 or 2-0, and does now what has waited in its sockets: under a new id, as it does not know 3-0.
  frame('2-0', ['9-0'])
  frame('1-0', ['2-0', '8-0'])
  await until(() => state.looks > 0)
  history.push('10-0')
  frame('3-0', ['10-0'])
  await until(() => got.get('ada')?.includes('10-0'))
  assert.deepEqual(got.get('ada'), ['3-0', '10-0'])
})

test('[4] of a server that lost the last message: members hear of a gap, and then what was said behind it', async () => {
  const { history, got, gaps, frame, join } = open()
  history.push('1-0', '2-0')
  await join('ada')
  frame('2-0', ['3-0'])
  assert.deepEqual(got.get('ada'), ['3-0'])
  // Its successor never had 3-0, and cannot say what came behind it.
  history.push('4-0', '5-0')
  frame('2-0', ['4-0'])
  frame('4-0', ['5-0'])
  frame('5-0', ['6-0'], 'before')
  await until(() => got.get('ada')?.length === 3)
  assert.deepEqual(got.get('ada'), ['3-0', '4-0', '5-0'])
  assert.deepEqual(gaps, ['ada'])
  history.push('6-0')
  frame('5-0', ['6-0'])
  assert.deepEqual(got.get('ada')?.at(-1), '6-0')
  assert.deepEqual(gaps, ['ada'])
})

test('messages that are lost on the way while the first one joins are found, in their order', async () => {
  const { history, got, state, frame, join } = open()
  history.push('1-0')
  state.isHeld = true
  const ada = join('ada')
  await until(() => state.release)
  state.isHeld = false
  history.push('2-0', '3-0', '4-0')
  frame('1-0', ['2-0'])
  // 3-0 is lost: the connection that hears was cut.
  frame('3-0', ['4-0'])
  state.release?.()
  await ada
  await until(() => got.get('ada')?.length === 3)
  assert.deepEqual(got.get('ada'), ['2-0', '3-0', '4-0'])
})

test('a gap while the first one joins is asked about once it is in, though nothing more is said', async () => {
  const { room, history, got, state, join } = open()
  history.push('1-0')
  state.isHeld = true
  const ada = join('ada')
  await until(() => state.release)
  state.isHeld = false
  history.push('2-0')
  room.lookAgain()
  state.release?.()
  await ada
  await until(() => got.get('ada')?.length === 1)
  assert.deepEqual(got.get('ada'), ['2-0'])
})

test('where people join without a break, what was said is kept for the oldest join alone', () => {
  const recent = new Recent()
  const said = (id: string) => ({ epoch: 'e', prev: '0-0', ids: [id], texts: [id] })
  recent.add(said('0-1'))
  assert.equal(recent.size, 0, 'nobody needs it')
  let join = recent.begin()
  for (let turn = 0; turn < 1_000; turn += 1) {
    recent.add(said(`${turn}-0`))
    const next = recent.begin()
    assert.deepEqual(
      recent.since(join).flatMap(({ ids }) => ids),
      [`${turn}-0`],
    )
    recent.end(join)
    join = next
    assert.ok(recent.size <= 1, `${recent.size} are kept`)
  }
  const second = recent.begin()
  recent.add(said('x'))
  recent.end(join)
  assert.equal(recent.since(second).length, 1)
  recent.end(second)
  assert.equal(recent.size, 0)
  assert.equal(recent.isNeeded, false)
})
