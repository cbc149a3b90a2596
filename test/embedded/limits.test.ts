// Owns the proof of each limit that the README names: what the store replies, and what Redis replies instead.
import test from 'node:test'
import { type Argument, assertReply, between, type Expected, error, matching } from './expected.ts'
import { embeddedSide, redisSide, replyOf } from './stores.ts'

interface Limit {
  readonly send: readonly [string, ...Argument[]]
  readonly store: Expected
  readonly redis: Expected
}

const limits: Readonly<Record<string, Limit>> = {
  'there is no CLIENT TRACKING': {
    send: ['CLIENT', 'TRACKING', 'ON'],
    store: error("ERR unknown subcommand 'TRACKING'"),
    redis: 'OK',
  },
  'there are no replicas to WAIT for': { send: ['WAIT', 0, 0], store: error("ERR unknown command 'WAIT'"), redis: 0 },
  'there is no DUMP': { send: ['DUMP', 'none'], store: error("ERR unknown command 'DUMP'"), redis: null },
  'there is no OBJECT': {
    send: ['OBJECT', 'ENCODING', 'none'],
    store: error("ERR unknown command 'OBJECT'"),
    redis: null,
  },
  'there is no ACL to change': {
    send: ['ACL', 'SETUSER', 'somebody'],
    store: error("ERR unknown subcommand 'SETUSER'"),
    redis: 'OK',
  },
  'CLIENT KILL knows ids alone': {
    send: ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
    store: error('ERR syntax error'),
    redis: 0,
  },
  'INFO knows nothing of memory': {
    send: ['INFO', 'memory'],
    store: matching(/^# Memory\r\nused_memory:0\r\n(?![\s\S]*maxmemory_policy)/),
    redis: matching(/\r\nmaxmemory_policy:noeviction\r\n/),
  },
  'the clock has milliseconds, no microseconds': {
    send: ['EVAL', "return redis.call('TIME')[2] % 1000", 0],
    store: 0,
    redis: between(0, 999),
  },
  'a Lua number of more than 14 digits is rounded on its way into a command': {
    send: ['EVAL', "redis.call('SET', 'n', 1795321893462123) return redis.call('GET', 'n')", 0],
    store: '1.7953218934621e+15',
    redis: '1795321893462123',
  },
  '%d ends at 32 bits': {
    send: ['EVAL', "return string.format('%d', 1795321893462)", 0],
    store: '2147483647',
    redis: '1795321893462',
  },
  'a table that a script throws loses its text': {
    send: ['EVAL', "error({err = 'MYERR thrown'})", 0],
    store: error('ERR script execution failed'),
    redis: error('MYERR thrown script: '),
  },
  'a script that is no Lua is found out when it runs': {
    send: ['SCRIPT', 'LOAD', 'not lua at all'],
    store: matching(/^[0-9a-f]{40}$/),
    redis: error('ERR Error compiling script'),
  },
}

const store = await embeddedSide(test)
const redis = await redisSide(test)
const stored = store.client()
const real = redis.client()

for (const [title, limit] of Object.entries(limits)) {
  test(title, async () => {
    assertReply(limit.send, await replyOf(stored, limit.send), limit.store)
    assertReply(limit.send, await replyOf(real, limit.send), limit.redis)
  })
}
