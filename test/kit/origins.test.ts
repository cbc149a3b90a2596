// Origins: which pages may connect.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Origins, type OriginsOptions } from 'fastify-ah-kit'

/** Whether a page of this origin may connect to api.example; several are several headers. */
function allows(options: Partial<OriginsOptions>, ...origins: string[]): boolean {
  const all = { listed: ['https://Shop.example'], isOwnHostAllowed: false, isMissingAllowed: false, ...options }
  const [first] = origins
  const headers = { host: 'API.example', ...(first === undefined ? {} : { origin: first }) }
  const rawHeaders = ['Host', 'API.example', ...origins.flatMap((origin) => ['oRigin', origin])]
  return new Origins(all).allows({ headers, rawHeaders })
}

test('those that are listed, in any case, and none that looks like one', () => {
  for (const origin of ['https://shop.example', 'HTTPS://SHOP.EXAMPLE']) assert.equal(allows({}, origin), true)
  assert.equal(allows({ listed: ['https://Bücher.example:443'] }, 'https://xn--bcher-kva.example'), true)
  for (const origin of [
    'http://shop.example',
    'https://shop.example:8443',
    'https://shop.example.evil.example',
    'https://evil-shop.example',
    'https://shop.exampl',
    'https://api.example',
    'null',
    '',
  ]) {
    assert.equal(allows({}, origin), false, origin)
  }
})

test('those of the same host, and programs, where that is said', () => {
  for (const origin of ['https://api.example', 'http://API.example']) {
    assert.equal(allows({ isOwnHostAllowed: true }, origin), true)
  }
  assert.equal(allows({ isOwnHostAllowed: true }, 'https://api.example:444'), false)
  assert.equal(allows({ isOwnHostAllowed: true, listed: [] }, 'https://shop.example'), false)
  assert.equal(allows({}), false)
  assert.equal(allows({ isMissingAllowed: true }), true)
})

test('nobody who gives two', () => {
  const all = { isOwnHostAllowed: true, isMissingAllowed: true }
  assert.equal(allows(all, 'https://shop.example', 'https://evil.example'), false)
  assert.equal(allows(all, 'https://shop.example', 'https://shop.example'), false)
})
