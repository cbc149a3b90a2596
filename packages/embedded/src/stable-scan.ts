// SCAN and its kin as Redis promises them: what is there from the first page to the last is answered.

import {
  type CommandPlan,
  type createTransactionPolicy,
  type KeyspaceEntry,
  type RedisDatabase,
  type RedisExecutionContext,
  RedisResult,
  RedisValue,
} from 'js-redis-server/core'
import { emptyValue, type KeyIndex } from './key-index.ts'

/** js-redis-server does not export the name of this type. */
export type ExecutionPolicy = ReturnType<typeof createTransactionPolicy>

interface ScanArgs {
  readonly cursor: bigint
  readonly count?: number
}
type ScanPlan = CommandPlan<ScanArgs>

const DEFAULT_COUNT = 10

/** A policy that answers SCAN, HSCAN, SSCAN and ZSCAN in place of js-redis-server; one index per database. */
export function stableScan(indexes: readonly KeyIndex[]): ExecutionPolicy {
  return {
    name: 'fastify-ah-stable-scan',
    beforeExecute(plan, ctx) {
      // Inside MULTI the policy behind this one queues it; EXEC brings it here again.
      if (ctx.session.mode === 'transaction') return undefined
      switch (plan.definition.name) {
        case 'scan':
          return scanPage(plan as ScanPlan, ctx, indexes[ctx.session.selectedDatabase] as KeyIndex)
        case 'hscan':
        case 'sscan':
        case 'zscan':
          return wholeCollection(plan as ScanPlan, ctx)
        default:
          return undefined
      }
    },
  }
}

/** Lets js-redis-server's own SCAN, with its MATCH and TYPE, look at one page of the index as if it were all. */
function scanPage(plan: ScanPlan, ctx: RedisExecutionContext, index: KeyIndex): RedisResult {
  const { cursor, count = DEFAULT_COUNT } = plan.args
  const { keys, next } = index.page(Number(cursor), count)
  const entries = keys.flatMap((key) => entryOf(ctx.db, key))
  const db: RedisDatabase = Object.create(ctx.db, { entriesSnapshot: { value: () => entries } })
  const { value } = run(plan, { ...plan.args, cursor: 0n, count: Math.max(1, entries.length) }, { ...ctx, db })
  if (value.kind !== 'array') return new RedisResult(value)
  const found = value.items[1] ?? RedisValue.array([])
  return RedisResult.create(RedisValue.array([RedisValue.bulkString(Buffer.from(String(next))), found]))
}

/** One collection in one page, as Redis answers small ones: it is copied for every page anyway. */
function wholeCollection(plan: ScanPlan, ctx: RedisExecutionContext): RedisResult {
  return run(plan, { ...plan.args, cursor: 0n, count: Number.MAX_SAFE_INTEGER }, ctx)
}

function run(plan: ScanPlan, args: ScanArgs, ctx: RedisExecutionContext): RedisResult {
  // These commands are synchronous: scripts call them too.
  return plan.definition.execute(args, ctx) as RedisResult
}

/** SCAN looks at key and type. A key whose time is over is no longer there: asking for its type removes it. */
function entryOf(db: RedisDatabase, key: Buffer): KeyspaceEntry[] {
  const type = db.getType(key)
  return type === null ? [] : [{ key, value: emptyValue(type) }]
}
