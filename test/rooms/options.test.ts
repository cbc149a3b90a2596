// What is said of wrong options: where, what was expected, what was got.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { options } from 'fastify-ah-rooms'

test('wrong options are named, with what they are and what they should be', () => {
  const refused = (given: object, ...said: RegExp[]) =>
    assert.throws(
      () => options.parse(given),
      (error: Error & { code?: string }) => {
        for (const what of said) assert.match(error.message, what)
        return error.code === 'AH_ROOMS_OPTIONS'
      },
    )
  refused({ origins: ['https://a.example', 'b.example'] }, /origins\.1/, /whole origin such as/, /"b\.example"/)
  refused({ origins: ['https://a.example/'] }, /origins\.0/)
  refused({ origins: 'https://a.example' }, /array/)
  refused({ authorize: { conect: () => true } }, /authorize\.conect/, /did you mean "connect"/)
  refused({ authorize: { join: true } }, /authorize\.join/, /a function/)
  refused({ startingRooms: ['lobby', 'a\nb'] }, /startingRooms\.1/, /control characters/)
  refused({ path: 'ws' }, /"path"/, /such as "\/ah\/ws"/)
  refused({ startingRoom: [] }, /did you mean "startingRooms"/)
  refused({ messageRateLimit: 3 }, /messagesPerSecond/)
})

test('hooks are passed as they are, and names that look odd are names', () => {
  const join = () => true
  const parsed = options.parse({ authorize: { join }, startingRooms: ['constructor', ' ', '*', '😀'] })
  assert.equal(parsed.authorize?.join, join)
  assert.equal(parsed.startingRooms.length, 4)
})
