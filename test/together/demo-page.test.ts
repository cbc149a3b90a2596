// The demo's page in a real browser: it shows two workers and one counter, and survives a kill.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { atEnd, tempDir, until } from 'fastify-ah-test-support'
import { type Browser, chromium, type Page } from 'playwright-core'
import { startDemo } from './demo.ts'

async function openPage(t: Parameters<typeof atEnd>[0], url: string): Promise<{ page: Page; errors: string[] }> {
  const browser: Browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  atEnd(t, () => browser.close())
  const page = await browser.newPage({ viewport: { width: 900, height: 760 } })
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(url)
  return { page, errors }
}

test('the page shows two pids and counts clicks over both workers', async (t) => {
  const demo = await startDemo(t)
  const pids = await demo.untilServing()
  const { page, errors } = await openPage(t, demo.url)
  await page.locator('.worker').nth(1).waitFor()
  const shown = await page.locator('.worker .pid').allTextContents()
  assert.deepEqual(shown.map((text) => Number(text.replace('pid ', ''))).sort(), [...pids].sort())

  await page.getByRole('button', { name: 'Count fifty at once' }).click()
  await page.locator('#count', { hasText: /^50$/ }).or(page.locator('#trouble:visible')).waitFor()
  assert.equal(await page.locator('#trouble').textContent(), '')
  const counted = (await page.locator('#counted').textContent()) ?? ''
  for (const pid of pids) assert.match(counted, new RegExp(`pid ${pid}\\b`))

  await page.getByLabel('Text').fill('<b>hello</b>')
  await page.getByRole('button', { name: 'Save and load' }).click()
  await page.locator('#noted', { hasText: '“<b>hello</b>” saved by pid' }).waitFor()
  assert.equal(await page.locator('#noted b').count(), 0, 'what was typed is text, not markup')
  assert.deepEqual(errors, [])
  await page.screenshot({ path: join(process.env['AH_SCREENSHOTS'] ?? tempDir(t).path, 'demo.png') })
})

test('kill -9 on the page replaces the worker and keeps the count', async (t) => {
  const demo = await startDemo(t)
  const [victim] = (await demo.untilServing()) as [number, number]
  const { page, errors } = await openPage(t, demo.url)
  await page.getByRole('button', { name: 'Count one' }).click()
  await page.locator('#count', { hasText: /^1$/ }).waitFor()
  await page
    .locator('.worker', { hasText: `pid ${victim}` })
    .getByRole('button', { name: 'kill -9' })
    .click()
  const now = await demo.untilServing([victim])
  for (const pid of now) await page.locator('.worker .pid', { hasText: `pid ${pid}` }).waitFor()
  assert.equal(await page.locator('#count').textContent(), '1')
  assert.deepEqual(errors, [])
})

test('what is said on one node is heard on all: by every page, whichever worker holds it, and through a reload', async (t) => {
  const demo = await startDemo(t)
  const pids = await demo.untilServing()
  const { page, errors } = await openPage(t, demo.url)
  await page.locator('#nodes', { hasText: `(pid ${pids[0]})` }).waitFor()
  await page.locator('#nodes', { hasText: `(pid ${pids[1]})` }).waitFor()

  // A page holds its stream on one worker, and what it says meets either: said until both were the speaker.
  const speakers = new Set<string>()
  for (let said = 1; speakers.size < 2; said += 1) {
    await page.getByRole('textbox', { name: 'Message' }).fill(`<i>line ${said}</i>`)
    await page.getByRole('button', { name: 'Publish' }).click()
    const line = page.locator('#messages li', { hasText: `“<i>line ${said}</i>” said by` })
    await line.waitFor()
    speakers.add(/said by pid (\d+)/.exec((await line.textContent()) ?? '')![1]!)
  }
  assert.deepEqual([...speakers].map(Number).sort(), [...pids].sort())
  assert.equal(await page.locator('#messages i').count(), 0, 'what was typed is text, not markup')

  await page.getByRole('button', { name: 'Replace both' }).click()
  const now = await demo.untilServing(pids)
  for (const pid of now) await page.locator('#nodes', { hasText: `(pid ${pid})` }).waitFor()
  await page.getByRole('textbox', { name: 'Message' }).fill('after the reload')
  await until(async () => {
    await page.getByRole('button', { name: 'Publish' }).click()
    return (await page.locator('#messages li', { hasText: '“after the reload” said by' }).count()) > 0
  })
  assert.deepEqual(errors, [])
  await page.screenshot({
    path: join(process.env['AH_SCREENSHOTS'] ?? tempDir(t).path, 'messages.png'),
    fullPage: true,
  })
})

test('a task shows its progress; its worker killed, the other bakes the loaf again to its end', async (t) => {
  const demo = await startDemo(t)
  await demo.untilServing()
  const { page, errors } = await openPage(t, demo.url)
  const said = page.locator('#loaf')
  const percent = () => page.locator('#baked').evaluate((bar) => (bar as unknown as { value: number }).value)
  await page.locator('#queues', { hasText: '0 in oven' }).waitFor()
  await page.getByRole('button', { name: 'Bake a loaf' }).click()
  await said.filter({ hasText: /^baked by pid \d+$/ }).waitFor()
  await until(async () => (await percent()) >= 20)
  const [, first] = /pid (\d+)/.exec((await said.textContent()) ?? '') as RegExpExecArray
  await page.getByRole('button', { name: 'kill -9 its baker' }).click()
  await said.filter({ hasText: /^baked by pid \d+, who began again/ }).waitFor()
  await page.screenshot({ path: join(process.env['AH_SCREENSHOTS'] ?? tempDir(t).path, 'task.png'), fullPage: true })
  await said.filter({ hasText: /^done by pid \d+, who began again/ }).waitFor()
  const [, second] = /pid (\d+)/.exec((await said.textContent()) ?? '') as RegExpExecArray
  assert.notEqual(second, first)
  assert.equal(await percent(), 100)
  assert.equal(await page.locator('#trouble').textContent(), '')
  assert.deepEqual(errors, [])
})
