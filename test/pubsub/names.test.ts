// Names of channels: one spelling of each, and the servers' part of the tree closed under every spelling.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { internal } from './internal.ts'

const { userChannel, internalChannel, matches, globOf } =
  await internal<typeof import('../../packages/pubsub/dist/channel-name.js')>('channel-name')

const codeOf = (attempt: () => unknown): string => {
  try {
    attempt()
  } catch (error) {
    return (error as { code?: string }).code ?? 'no code'
  }
  return 'taken'
}

describe('names', () => {
  test('what may be a channel', () => {
    const good = ['/a', '/chat/lobby', '/A/b-C_d!~()$@.:', '/v1.2/..a', '/__proto__/constructor', `/${'x'.repeat(511)}`]
    for (const name of good)
      assert.equal(
        codeOf(() => userChannel(name)),
        'taken',
        name,
      )
  })

  test('[25] what has another spelling, or might be read as something else, is refused', () => {
    const bad: unknown[] = [
      ...['', '/', 'a', 'chat/lobby', '//', '/a/', '//a', '/a//b', '/a/./b', '/a/../b', '/.', '/..'],
      ...[
        '/a b',
        '/a\n',
        '/a\0',
        '/ä',
        '/а',
        '/a\u200b',
        '/％2f',
        '/a%2Fb',
        '/a\\b',
        '/a?',
        '/a[b]',
        '/a{b}',
        '/a,b',
        '/a"',
      ],
      ...['/a*', '/*a', '/***', '/**/a', '/a/**/b', `/${'x'.repeat(512)}`],
      ...[undefined, null, 7, true, {}, [], ['/a'], { toString: () => '/a' }, new String('/a'), Symbol('/a')],
    ]
    for (const name of bad)
      assert.equal(
        codeOf(() => userChannel(name)),
        'AH_PUBSUB_CHANNEL',
        String(name),
      )
  })

  test('[25] the tree of the servers is closed to users, in every spelling that comes near', () => {
    const closed = ['/actionhero', '/actionhero/app/x', '/actionhero/calls', '/actionhero/*', '/actionhero/**']
    const near = [
      '/ActionHero/x',
      '/ACTIONHERO',
      '/action-hero/x',
      '/.actionhero',
      '/actionhero.',
      '/a.c.t.i.o.n.h.e.r.o',
    ]
    for (const name of [...closed, ...near]) {
      assert.equal(
        codeOf(() => userChannel(name)),
        'AH_PUBSUB_CLOSED_CHANNEL',
        name,
      )
    }
    // Encodings, other alphabets and empty parts are no names at all.
    for (const name of [
      '//actionhero/x',
      '/%61ctionhero',
      '/аctionhero',
      '/actionhero\0',
      '/./actionhero',
      '/x/../actionhero',
    ]) {
      assert.equal(
        codeOf(() => userChannel(name)),
        'AH_PUBSUB_CHANNEL',
        name,
      )
    }
    for (const name of ['/actionheroes', '/x/actionhero', '/actionhero2']) {
      assert.equal(
        codeOf(() => userChannel(name)),
        'taken',
        name,
      )
    }
  })

  test('[25] servers speak below /actionhero/app/ alone', () => {
    for (const name of ['/actionhero/app/x', '/actionhero/app/x/y', '/actionhero/app/*', '/actionhero/app/**']) {
      assert.equal(
        codeOf(() => internalChannel(name)),
        'taken',
        name,
      )
    }
    const others = [
      '/actionhero',
      '/actionhero/app',
      '/actionhero/calls',
      '/actionhero/*/x',
      '/actionhero/**',
      '/**',
      '/*/app/x',
      '/app/x',
      '/ActionHero/app/x',
      '/actionhero/App/x',
      '/actionhero/node/x',
    ]
    for (const name of others)
      assert.equal(
        codeOf(() => internalChannel(name)),
        'AH_PUBSUB_CHANNEL',
        name,
      )
  })
})

describe('wildcards', () => {
  test('they match segment by segment', () => {
    const cases: [wildcard: string, channel: string, isMatch: boolean][] = [
      ['/*', '/a', true],
      ['/*', '/a/b', false],
      ['/**', '/a', true],
      ['/**', '/a/b/c', true],
      ['/a/*', '/a', false],
      ['/a/*', '/a/b', true],
      ['/a/*', '/a/b/c', false],
      ['/a/**', '/a', false],
      ['/a/**', '/a/b', true],
      ['/a/**', '/a/b/c', true],
      ['/a/**', '/ab/c', false],
      ['/*/b', '/a/b', true],
      ['/*/b', '/a/c/b', false],
      ['/*/*/c', '/a/b/c', true],
      ['/*/b/**', '/a/b/c/d', true],
      ['/*/b/**', '/a/c/b/d', false],
    ]
    for (const [wildcard, channel, isMatch] of cases) {
      assert.equal(matches(userChannel(wildcard), channel), isMatch, `${wildcard} and ${channel}`)
    }
  })

  test('to Redis both are one star', () => {
    assert.deepEqual(
      ['/a/*', '/a/**', '/*/b', '/a'].map((name) => globOf(userChannel(name))),
      ['/a/*', '/a/*', '/*/b', '/a'],
    )
  })
})
