// Lua scripts: one transition each, with names for its keys and arguments.
import { createHash } from 'node:crypto'

/** What {@link defineScript} makes a script of. */
export interface ScriptDefinition {
  /** A verb: `save-entry`. */
  readonly name: string
  /** Names of the keys; each becomes a local of the body. A last `...` leaves the rest in `KEYS`. */
  readonly keys: readonly string[]
  /** Names of the arguments, likewise; the rest is in `ARGV`. */
  readonly args: readonly string[]
  /** Whether it changes anything; default true. A read that is not answered is known to have done no harm. */
  readonly writes?: boolean
  /** Runs even when Redis is out of memory; for what frees memory or records what is done. Default false. */
  readonly allowOom?: boolean
  readonly lua: string
  /** Of a guarded script: how long its record is kept, in ms; default {@link guardRecordMs}. */
  readonly recordMs?: number
}

/** A script's text in one of its forms, with its SHA-1. */
export interface ScriptText {
  readonly lua: string
  readonly sha: string
}

/** A script as a connection runs it. */
export interface Script {
  readonly name: string
  readonly writes: boolean
  /** With the `allow-oom` flag, if it was asked for. */
  readonly text: ScriptText
  /** Without it, for servers that do not know the flag; the same text where none was asked for. */
  readonly plain: ScriptText
  readonly isGuarded: boolean
}

/** A script that a {@link RepeatGuard} runs: it answers a repeat from the guard's key instead of applying it again. */
export interface GuardedScript extends Script {
  readonly isGuarded: true
}

/**
 * Makes a script that may be applied twice without harm (a connection that breaks sends it again). One that may not
 * is made by {@link defineGuardedScript}.
 */
export function defineScript(definition: ScriptDefinition): Script {
  return assemble(definition, `${localsOf(definition, 0)}${definition.lua}`, false)
}

/**
 * Makes a script that is applied once however often it arrives. It has one key and one argument more than it names:
 * `KEYS[1]`, the guard's record, and `ARGV[1]`, the number of this call, ascending per process. The record holds the
 * last number and its answer (integers, strings, nil and arrays of these), for as long as any client may still send
 * a repeat.
 */
export function defineGuardedScript(definition: ScriptDefinition): GuardedScript {
  // Numbers are spelled here: Lua's own way to make a text of one takes Redis 10 µs when it has just woken up.
  const lua = `local guard_record, guard_number = KEYS[1], ARGV[1]
local guard_last = redis.call('GET', guard_record)
if guard_last then
  local number, kind, said = string.match(guard_last, '^(%d+)(.)(.*)$')
  if number == guard_number then return kind == ' ' and said or cmsgpack.unpack(said)[1] end
  if tonumber(number) > tonumber(guard_number) then
    return redis.error_reply('AHSTALE a newer call was applied before this repeat')
  end
end
local function transition()
${localsOf(definition, 1)}${definition.lua}
end
local guard_answer = transition()
local guard_said = type(guard_answer) == 'string' and ' ' .. guard_answer or ':' .. cmsgpack.pack({guard_answer or false})
redis.call('SET', guard_record, guard_number .. guard_said, 'PX', '${definition.recordMs ?? guardRecordMs}')
return guard_answer`
  return assemble(definition, lua, true) as GuardedScript
}

/**
 * How long a guard's record is kept, in ms. Longer than a command can lie in a client's queue before it is sent again:
 * ours give up within seconds, ioredis' own default within 73 s.
 */
export const guardRecordMs = 600_000

function assemble(
  { name, writes = true, allowOom = false }: ScriptDefinition,
  lua: string,
  isGuarded: boolean,
): Script {
  const plain = textOf(lua)
  return Object.freeze({
    name,
    writes,
    isGuarded,
    plain,
    text: allowOom ? textOf(`#!lua flags=allow-oom\n${lua}`) : plain,
  })
}

function textOf(lua: string): ScriptText {
  return Object.freeze({ lua, sha: createHash('sha1').update(lua).digest('hex') })
}

function localsOf({ keys, args }: ScriptDefinition, offset: number): string {
  return [localLine(keys, 'KEYS', offset), localLine(args, 'ARGV', offset)].join('')
}

function localLine(names: readonly string[], table: string, offset: number): string {
  const named = names.filter((name) => name !== '...')
  if (named.length === 0) return ''
  return `local ${named.join(', ')} = ${named.map((_, index) => `${table}[${index + 1 + offset}]`).join(', ')}\n`
}
