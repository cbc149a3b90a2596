// The demo's chat in real browsers: over two workers, through reloads, without a network, and under hostile names.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { atEnd, type TestScope, until } from 'fastify-ah-test-support'
import { chromium, type Page } from 'playwright-core'
import { startDemo } from './demo.ts'

const demo = await startDemo(test)
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
})
atEnd(test, () => browser.close())

/** A page with a network of its own. `errors` is what it threw, and every script that got in would throw. */
interface Visitor {
  readonly page: Page
  readonly errors: string[]
  say(text: string): Promise<void>
  /** Texts of the lines that were heard, in order. */
  lines(): Promise<string[]>
  /** Number of the worker that it is connected through. */
  worker(): Promise<number>
  /** And its process. */
  pid(): Promise<number>
}

async function visit(t: TestScope): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 } })
  atEnd(t, () => context.close())
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('dialog', (dialog) => {
    errors.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(demo.url)
  const place = page.locator('#place[data-state="in"]', { hasText: 'through worker' })
  const placed = async (what: RegExp) => Number(what.exec((await place.textContent({ timeout: 10_000 }))!)![1])
  return {
    page,
    errors,
    async say(text) {
      await page.getByRole('textbox', { name: 'Line' }).fill(text)
      await page.getByRole('textbox', { name: 'Line' }).press('Enter')
    },
    lines: () => page.locator('.line:not([data-state]) .text').allTextContents(),
    worker: () => placed(/worker (\d)/),
    pid: () => placed(/pid (\d+)/),
  }
}

async function comeIn(name: string, t: TestScope): Promise<Visitor> {
  const visitor = await visit(t)
  await visitor.page.getByLabel('Your name').fill(name)
  await visitor.page.getByRole('button', { name: 'Come in' }).click()
  await visitor.worker()
  return visitor
}

/** Comes again until it meets another worker. */
async function leaveWorker(visitor: Visitor, taken: number): Promise<void> {
  await until(
    async () => {
      if ((await visitor.worker()) !== taken) return true
      await visitor.page.getByRole('button', { name: 'Reconnect' }).click()
      await visitor.page.locator('#place[data-state="away"]').waitFor()
      return (await visitor.worker()) !== taken
    },
    { what: 'the other worker', deadlineMs: 20_000 },
  )
}

const inWorker = (visitor: Visitor, name: string, worker: number) =>
  visitor.page.locator('#members li', { hasText: name }).filter({ hasText: `worker ${worker}` })

test('two people on different workers talk, see each other come, and lose no line while both workers are replaced and one is killed', async (t) => {
  const ada = await comeIn('Ada', t)
  const bob = await comeIn('Bob', t)
  await leaveWorker(bob, await ada.worker())
  const [adasWorker, bobsWorker] = [await ada.worker(), await bob.worker()]
  for (const page of [ada, bob]) {
    await inWorker(page, 'Ada', adasWorker).waitFor()
    await inWorker(page, 'Bob', bobsWorker).waitFor()
  }
  await ada.say('is anybody there?')
  await bob.say('over here')
  for (const { page } of [ada, bob]) {
    const [asked, answered] = [page.locator('.line').first(), page.locator('.line').nth(1)]
    await answered.waitFor()
    assert.match((await asked.textContent())!, new RegExp(`^Adaworker ${adasWorker} · pid \\d+.*is anybody there\\?$`))
    assert.match((await answered.textContent())!, new RegExp(`^Bobworker ${bobsWorker} · pid \\d+.*over here$`))
  }

  const pids = await demo.untilServing()
  demo.process.kill('SIGUSR2')
  let isOver = false
  const talk = async (visitor: Visitor, name: string): Promise<number> => {
    for (let count = 0; ; count += 1) {
      if (isOver) return count
      await visitor.say(`${name} ${count}`)
      // Time is the subject: people talk before, while and after; on a slow machine not more than a page shows.
      await new Promise((resolve) => setTimeout(resolve, count < 30 ? 120 : 600))
    }
  }
  const talks = [talk(ada, 'a'), talk(bob, 'b')]
  await demo.untilServing(pids)
  const killed = await bob.pid()
  await bob.page
    .locator('.worker', { hasText: `pid ${killed}` })
    .getByRole('button', { name: 'kill -9' })
    .click()
  await demo.untilServing([killed])
  await until(async () => (await bob.pid()) !== killed)
  isOver = true
  const [byAda, byBob] = (await Promise.all(talks)) as [number, number]
  const said = byAda + byBob + 2
  await until(async () => (await ada.lines()).length >= said && (await bob.lines()).length >= said)
  const heard = await ada.lines()
  assert.deepEqual(await bob.lines(), heard, 'one order')
  assert.equal(heard.length, said, 'none twice')
  const ofOne = (name: string) => heard.filter((text) => text.startsWith(`${name} `))
  const upTo = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name} ${index}`)
  assert.deepEqual(ofOne('a'), upTo(byAda, 'a'))
  assert.deepEqual(ofOne('b'), upTo(byBob, 'b'))
  for (const { page, errors } of [ada, bob]) {
    assert.ok((await page.locator('.note', { hasText: 'No line is missing' }).count()) >= 1, 'it was away')
    assert.equal(await page.locator('.note.warning').count(), 0)
    assert.equal(await page.locator('.line[data-state]').count(), 0, 'nothing waits')
    assert.deepEqual(errors, [])
  }
  await bob.page.close()
  await ada.page.locator('#members li', { hasText: 'Bob' }).waitFor({ state: 'detached' })
  assert.equal(await ada.page.locator('#members li').count(), 1)
})

test('offline and back: what was missed comes in order, what was written meanwhile is said, and what is lost is called lost', async (t) => {
  const ada = await comeIn('Ada', t)
  const bob = await comeIn('Bob', t)
  await ada.say('before')
  await bob.page.locator('.line', { hasText: 'before' }).waitFor()
  await ada.page.context().setOffline(true)
  await ada.page.locator('#place[data-state="away"]', { hasText: 'network' }).waitFor()
  for (const text of ['one', 'two', 'three']) await bob.say(text)
  await bob.page.locator('.line', { hasText: 'three' }).and(bob.page.locator(':not([data-state])')).waitFor()
  await ada.say('written offline')
  await ada.page.locator('.line[data-state="waiting"]', { hasText: 'written offline' }).waitFor()
  assert.deepEqual(await ada.lines(), ['before'])
  await ada.page.context().setOffline(false)
  const all = ['before', 'one', 'two', 'three', 'written offline']
  for (const visitor of [ada, bob]) {
    await until(async () => (await visitor.lines()).length >= all.length)
    assert.deepEqual(await visitor.lines(), all)
  }
  assert.equal(await ada.page.locator('.line[data-state]').count(), 0)
  await ada.page.locator('.note', { hasText: 'No line is missing' }).waitFor()

  // More than the demo keeps: by several, since one may not talk so fast.
  await ada.page.context().setOffline(true)
  await ada.page.locator('#place[data-state="away"]').waitFor()
  await bob.page.evaluate(FLOOD)
  await ada.page.context().setOffline(false)
  await ada.page.locator('.note.warning', { hasText: 'Lines of that time are missing' }).waitFor()
  await bob.say('after the flood')
  await ada.page.locator('.line', { hasText: 'after the flood' }).waitFor()
  assert.deepEqual(await ada.lines(), [...all, 'after the flood'], 'all or nothing')
  assert.deepEqual([...ada.errors, ...bob.errors], [])
})

test('names and lines are text, whatever is in them; a name that deceives or is too long is refused', async (t) => {
  const visitor = await visit(t)
  const { page } = visitor
  const refusals: [string, RegExp][] = [
    ['', /a name is needed/],
    [' \t ', /nobody sees|needed/],
    ['Ada\u202Eecila', /characters that nobody sees/],
    ['A\u200Bda', /characters that nobody sees/],
    [`Z${'\u0337'.repeat(20)}algo`, /too many marks/],
    ['x'.repeat(10_240), /at most 40 characters, this one has 10240/],
  ]
  for (const [name, why] of refusals) {
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Come in' }).click()
    await page.locator('#refusal', { hasText: why }).waitFor()
    assert.equal(await page.locator('#come-in').isVisible(), true)
  }
  const name = '<img src=x onerror="throw Error(1)">'
  await page.getByLabel('Your name').fill(name)
  await page.getByRole('button', { name: 'Come in' }).click()
  await visitor.worker()
  const texts = ['<script>throw Error(2)</script>', '<svg onload=alert(3)>', '\u202Eesrever ni', 'e\u0301'.repeat(200)]
  for (const text of texts) await visitor.say(text)
  const other = await comeIn('Ада 👩‍🚀 عمر', t)
  await visitor.say('to both')
  await other.page.locator('.line', { hasText: 'to both' }).waitFor()
  assert.deepEqual(await visitor.lines(), [...texts, 'to both'])
  for (const { page, errors } of [visitor, other]) {
    assert.equal(await page.locator('.line').last().locator('.who').textContent(), name)
    await page.locator('#members bdi', { hasText: name }).waitFor()
    await page.locator('#members bdi', { hasText: 'Ада 👩‍🚀 عمر' }).waitFor()
    assert.equal(await page.locator('main :is(img, svg, script)').count(), 0, 'nothing became markup')
    const width = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')
    assert.deepEqual(width, [1000, 1000], 'nothing is wider than the page')
    assert.deepEqual(errors, [])
  }
  // What turns the direction of a line turns nothing beside it.
  await page.locator('.line', { hasText: 'esrever' }).waitFor()
  const bidi = `[...document.querySelectorAll('.text')].map((text) => getComputedStyle(text).unicodeBidi)`
  assert.deepEqual(new Set((await page.evaluate(bidi)) as string[]), new Set(['isolate']))
  const screenshots = process.env['AH_SCREENSHOTS']
  if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, 'hostile.png'), fullPage: true })
})

/** In the page: the client that it was served, with a token for each. */
const FLOOD = `(async () => {
  const flood = async () => {
    const answer = await fetch('chat/tokens', {
      method: 'POST', body: '{"name":"flood"}', headers: { 'content-type': 'application/json' },
    })
    const { token } = await answer.json()
    const client = AhRooms.connect('ah/ws', { token: () => token })
    await client.join('lobby')
    await Promise.all(Array.from({ length: 28 }, (_, at) => client.say('lobby', { text: 'flood', key: token + at })))
    client.close()
  }
  await Promise.all(Array.from({ length: 9 }, flood))
})()`
