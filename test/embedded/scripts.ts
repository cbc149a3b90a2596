// Owns the contract's table of scripts: the idioms that our packages' scripts are made of.
import { ALL_BYTES, type Contract } from './commands.ts'
import { between, error, matching, send } from './expected.ts'

const ALL_BYTES_TEXT = ALL_BYTES.toString('latin1')
const RETURN_1 = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

export const scripts: Contract = {
  'a script is loaded, run by its SHA, and forgotten': [
    send('EVALSHA', RETURN_1, 0).replies(error('NOSCRIPT No matching script. Please use EVAL.')),
    send('SCRIPT', 'LOAD', 'return 1').replies(RETURN_1),
    send('EVALSHA', RETURN_1, 0).replies(1),
    send('EVALSHA', RETURN_1.toUpperCase(), 0).replies(1),
    send('SCRIPT', 'EXISTS', RETURN_1, 'x').replies([1, 0]),
    send('SCRIPT', 'FLUSH').replies('OK'),
    send('EVALSHA', RETURN_1, 0).replies(error('NOSCRIPT ')),
    send('EVAL', 'return 1', 0).replies(1),
    send('EVALSHA', RETURN_1, 0).replies(1),
    send('EVAL', 'return 1').replies(error("ERR wrong number of arguments for 'eval' command")),
    send('EVAL', 'return 1', 2, 'a').replies(error("ERR Number of keys can't be greater than number of args")),
  ],
  'a script may begin with flags': [
    send('EVAL', '#!lua flags=allow-oom\nreturn 1', 0).replies(1),
    send('SCRIPT', 'LOAD', '#!lua flags=allow-oom\nreturn 1').replies('859a81c149196d031d328cf91bcb497765bec8d4'),
    send('EVALSHA', '859a81c149196d031d328cf91bcb497765bec8d4', 0).replies(1),
    send('EVAL', '#!lua\nreturn 2', 0).replies(2),
    send('EVAL', "#!lua flags=allow-oom\nerror('x')", 0).replies(error('ERR user_script:2: x')),
    send('EVAL', '#!lua flags=nonsense\nreturn 1', 0).replies(error('ERR ')),
    send('EVAL', '#!python\nreturn 1', 0).replies(error('ERR ')),
  ],
  'values come out of a script': [
    send('EVAL', 'return nil', 0).replies(null),
    send('EVAL', 'return false', 0).replies(null),
    send('EVAL', 'return true', 0).replies(1),
    send('EVAL', 'return 1.9', 0).replies(1),
    send('EVAL', 'return -1', 0).replies(-1),
    send('EVAL', 'return 1795321893462123', 0).replies(1795321893462123),
    send('EVAL', "return 'text'", 0).replies('text'),
    send('EVAL', "return {1, 'a', {2, {'b'}}, false, nil, 5}", 0).replies([1, 'a', [2, ['b']], null]),
    send('EVAL', "return {'string', 0, 1, {'x'}}", 0).replies(['string', 0, 1, ['x']]),
    send('EVAL', "return {ok = 'FINE'}", 0).replies('FINE'),
    send('EVAL', "return redis.status_reply('FINE')", 0).replies('FINE'),
    send('EVAL', 'return {}', 0).replies([]),
    send('EVAL', 'return {KEYS[1], ARGV[1], ARGV[2], #KEYS, #ARGV}', 1, 'k', 'a').replies(['k', 'a']),
  ],
  'values go into a script and through it to a command, whatever their bytes': [
    send('EVAL', 'return {KEYS[1], ARGV[1], #ARGV[1]}', 1, ALL_BYTES, ALL_BYTES).replies([
      ALL_BYTES_TEXT,
      ALL_BYTES_TEXT,
      256,
    ]),
    send('EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", 1, ALL_BYTES, ALL_BYTES).replies('OK'),
    send('EVAL', "return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0", 1, ALL_BYTES, ALL_BYTES).replies(1),
    send('EVAL', "return redis.call('GET', KEYS[1])", 1, ALL_BYTES).replies(ALL_BYTES_TEXT),
    send(
      'EVAL',
      "redis.call('RPUSH', KEYS[1], unpack(ARGV)) return redis.call('LRANGE', KEYS[1], 0, -1)",
      1,
      'l',
      'a',
      'b',
    ).replies(['a', 'b']),
    send('EVAL', "return redis.call('MGET', KEYS[1], 'none')", 1, ALL_BYTES).replies([ALL_BYTES_TEXT, null]),
    send('EVAL', "return {redis.call('LPOP', 'none') == false, redis.call('LPOP', KEYS[1])}", 1, 'l').replies([1, 'a']),
    send('EVAL', "return redis.call('LPOP', 'none') or 2", 0).replies(2),
    send('EVAL', "return redis.call('TYPE', KEYS[1]).ok", 1, 'l').replies('list'),
    send('EVAL', "return redis.call('TYPE', 'none').ok", 0).replies('none'),
    send('EVAL', "return redis.call('SET', 'k', 'v').ok", 0).replies('OK'),
    send('EVAL', "return tostring(redis.call('SET', 'k', 'v', 'NX'))", 0).replies('false'),
    send('EVAL', "return redis.call('SET', 'k', 'v', 'XX', 'PX', 100000, 'GET')", 0).replies('v'),
    send('EVAL', "return redis.call('PTTL', 'k')", 0).replies(between(90_000, 100_000)),
    send('EVAL', "return redis.call('PTTL', 'none') < 0 and 1 or 0", 0).replies(1),
    send('EVAL', "return redis.call('UNLINK', 'k', 'none') == 1 and 1 or 2", 0).replies(1),
    send('EVAL', "return redis.call('SCAN', 0, 'MATCH', 'l*', 'COUNT', 1000)", 0).replies(['0', ['l']]),
    send('EVAL', "return redis.call('PUBLISH', 'channel', 'message')", 0).replies(0),
  ],
  'a script asks for the time': [
    send('EVAL', "local t = redis.call('TIME') return {#t, t[1], t[2]}", 0).replies([
      2,
      matching(/^\d{10}$/),
      matching(/^\d{1,6}$/),
    ]),
    send('EVAL', "local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000)", 0).replies(
      between(1_700_000_000_000, 9_000_000_000_000),
    ),
    send('EVAL', "local t = redis.call('TIME') return t[1] * 1000000 + t[2]", 0).replies(
      between(1_700_000_000_000_000, 9_000_000_000_000_000),
    ),
    send(
      'EVAL',
      "redis.call('SET', 'k', 'v') redis.call('PEXPIREAT', 'k', 4102444800123) return redis.call('PEXPIRETIME', 'k')",
      0,
    ).replies(4102444800123),
    send('EVAL', "return {redis.call('PERSIST', 'k'), redis.call('PTTL', 'k')}", 0).replies([1, -1]),
  ],
  'numbers keep their digits on the ways that our scripts take': [
    send('EVAL', "return string.format('%.0f', 9007199254740991)", 0).replies('9007199254740991'),
    send(
      'EVAL',
      "redis.call('SET', 'n', string.format('%.0f', 1795321893462123)) return redis.call('GET', 'n')",
      0,
    ).replies('1795321893462123'),
    send('EVAL', "return redis.call('INCRBY', 'n', 1)", 0).replies(1795321893462124),
    send('EVAL', "return tonumber(redis.call('GET', 'n')) + 1", 0).replies(1795321893462125),
    send('EVAL', "redis.call('SET', 'ms', 1795321893462) return redis.call('GET', 'ms')", 0).replies('1795321893462'),
    send('EVAL', "return {string.match('12:34', '^(%d+):(%d+)$')}", 0).replies(['12', '34']),
    send('EVAL', 'return cmsgpack.unpack(cmsgpack.pack({1795321893462123, ARGV[1]}))', 0, ALL_BYTES).replies([
      1795321893462123,
      ALL_BYTES_TEXT,
    ]),
    send('EVAL', 'return cmsgpack.unpack(cmsgpack.pack({7, {1, false, 3}}))', 0).replies([7, [1, null, 3]]),
    send('EVAL', "return string.format('%.0f', math.max((tonumber('1795321893462123') or 0) + 1, 5))", 0).replies(
      '1795321893462124',
    ),
    send('EVAL', "return (tonumber(false) or 7) + (tonumber('') or 1)", 0).replies(8),
    send('EVAL', "return {string.match('run a:1 -', '^run (%S+) (%S+)$')}", 0).replies(['a:1', '-']),
    send('EVAL', "return tostring(string.match('', '^run (%S+) '))", 0).replies('nil'),
    send(
      'EVAL',
      `return {string.match('{"value":-41,"createdAt":5,"tags":[["a",1]]}', '^{"value":(-?%d+)(,"createdAt":%d.*)$')}`,
      0,
    ).replies(['-41', ',"createdAt":5,"tags":[["a",1]]}']),
    send(
      'EVAL',
      "redis.call('SET', 'ends', 1, 'PX', 100000) redis.call('SET', 'ends', 2, 'KEEPTTL') return redis.call('PTTL', 'ends')",
      0,
    ).replies(between(90_000, 100_000)),
    send('EVAL', "return redis.sha1hex('abc')", 0).replies('a9993e364706816aba3e25717850c26c9cd0d89d'),
  ],
  'an error of a command ends the script, unless it was a pcall': [
    send('SET', 'k', 'v').replies('OK'),
    send('EVAL', "redis.call('SET', 'done', 1) redis.call('LPUSH', 'k', 1) redis.call('SET', 'undone', 1)", 0).replies(
      error('WRONGTYPE Operation against a key holding the wrong kind of value script: '),
    ),
    send('MGET', 'done', 'undone').replies(['1', null]),
    send('EVAL', "return redis.pcall('LPUSH', 'k', 1)", 0).replies(error('WRONGTYPE ')),
    send('EVAL', "local reply = redis.pcall('LPUSH', 'k', 1) return {type(reply), reply.err}", 0).replies([
      'table',
      'WRONGTYPE Operation against a key holding the wrong kind of value',
    ]),
    send('EVAL', "local done = redis.pcall('SET', 'ok', 'v') return {done.ok, tostring(done.err)}", 0).replies([
      'OK',
      'nil',
    ]),
    send('EVAL', "local done = redis.pcall('PSETEX', 'ok', 9, 'v') return tostring(done.err)", 0).replies('nil'),
    send('RPUSH', 'a list', 'x').replies(1),
    send(
      'EVAL',
      "local got = redis.pcall('GET', 'a list') return type(got) == 'table' and got.err or 'fine'",
      0,
    ).replies(matching(/^WRONGTYPE /)),
    send('EVAL', "return redis.call('NONSENSE')", 0).replies(
      error('ERR Unknown Redis command called from script script: '),
    ),
    send('EVAL', "return redis.call('BLPOP', 'none', 1)", 0).replies(
      error('ERR This Redis command is not allowed from script script: '),
    ),
  ],
  'a script has errors of its own': [
    send('EVAL', "return redis.error_reply('MYERR what it is')", 0).replies(error('MYERR what it is')),
    send('EVAL', "return {err = 'MYERR what it is'}", 0).replies(error('MYERR what it is')),
    send('EVAL', "return redis.error_reply('AHSTALE a newer call')", 0).replies(error('AHSTALE a newer call')),
    send('EVAL', "error('boom')", 0).replies(error('ERR user_script:1: boom script: ')),
    send('EVAL', 'not lua at all', 0).replies(error('ERR ')),
    send('EVAL', 'return nonsense', 0).replies(
      error("ERR user_script:1: Script attempted to access nonexistent global variable 'nonsense' script: "),
    ),
    send('EVAL', 'x = 1', 0).replies(error('ERR user_script:1: Attempt to modify a readonly table script: ')),
    send('EVAL', "return redis.call('EVAL', 'return 1', 0)", 0).replies(
      error('ERR This Redis command is not allowed from script script: '),
    ),
    send('EVAL', 'return redis.call()', 0).replies(error('ERR Please specify at least one argument')),
    send('EVAL', "return redis.call('SET', 'k', {})", 0).replies(
      error('ERR Lua redis lib command arguments must be strings or integers script: '),
    ),
  ],
}
