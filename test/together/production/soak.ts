// Owns a run of the production topology under mixed load and troubles, and what came out of it.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { rss, type TestScope, until } from 'fastify-ah-test-support'
import { ChatLoad, type ChatResult } from './chat-load.ts'
import { type Failed, HttpLoad } from './http-load.ts'
import { startStage } from './stage.ts'
import { type Trouble, Troubles } from './troubles.ts'

/** What came out. */
export interface SoakResult {
  readonly answered: number
  /** Nobody's fault but ours. */
  readonly failed: readonly Failed[]
  /** On connections of a worker that was killed. */
  readonly ofKilled: number
  /** During the failover, by a coded 503: Redis is away, or no replica confirms. By code. */
  readonly refused: Readonly<Record<string, number>>
  readonly tasks: { readonly acknowledged: number; readonly lost: number; readonly again: number }
  readonly chat: ChatResult
  readonly troubles: readonly Trouble[]
  /** In MB, of the primary and of the workers' sum: when the last troubles were over, and at the end of the calm. */
  readonly memory: { readonly primary: readonly number[]; readonly workers: readonly number[] }
}

/** How long, in ms: troubles one after the other, then load alone. */
export interface SoakOptions {
  readonly troubledMs: number
  readonly calmMs: number
}

/** What a killed worker's client may see of it, and when the last of it. */
const killedWithinMs = 1_000
/** After the failover: until every connection has found the new master. */
const foundWithinMs = 5_000

export async function runSoak({ troubledMs, calmMs }: SoakOptions, scope: TestScope): Promise<SoakResult> {
  const stage = await startStage(scope)
  const http = new HttpLoad(stage.nginx.port, 8, scope)
  const chat = new ChatLoad(stage.nginx.port, { clients: 6, speakers: 2 }, scope)
  const troubles = new Troubles(stage)
  await until(() => http.answered > 200, { what: 'load' })

  const end = performance.now() + troubledMs
  for (let round = 0; round === 0 || performance.now() < end; round += 1) {
    await troubles.reload()
    await troubles.killWorker('web')
    await troubles.killWorker('worker')
    // One failover, in the first half: the last one's replica must have come back.
    if (round === 0) await troubles.failover()
  }
  const before = await memoryOf(stage)
  // Time is the subject: what grows under load alone.
  await sleep(calmMs)
  const after = await memoryOf(stage)

  await Promise.all([http.stop(), chat.stop()])
  const missing = () => {
    const ran = ranOf(stage.ranFile)
    return http.acknowledged.filter((n) => !ran.has(n)).length
  }
  // Lost for good only after this; the claims of a worker that was killed come back at once.
  await until(() => missing() === 0 && chat.isComplete, { deadlineMs: 30_000, everyMs: 250 }).catch(() => undefined)
  const ran = ranOf(stage.ranFile)
  const again = [...ran.values()].reduce((sum, times) => sum + times - 1, 0)
  return {
    answered: http.answered,
    ...judged(http.failed, troubles.all),
    tasks: { acknowledged: http.acknowledged.length, lost: missing(), again },
    chat: chat.result(),
    troubles: troubles.all,
    memory: { primary: [before.primary, after.primary], workers: [before.workers, after.workers] },
  }
}

/** Whose fault each failed request is. */
function judged(failed: readonly Failed[], troubles: readonly Trouble[]) {
  const kills = troubles.filter(({ what }) => what.startsWith('kill of a web'))
  const failovers = troubles.filter(({ what }) => what === 'failover')
  const isOfKilled = ({ from, to, status }: Failed) =>
    status === '502' &&
    kills.some((kill) => from < kill.from + killedWithinMs && to > kill.from && to < kill.from + killedWithinMs)
  const isRefused = ({ from, to, code }: Failed) =>
    code !== undefined && failovers.some((over) => to > over.from && from < over.to + foundWithinMs)
  const refused: Record<string, number> = {}
  for (const { code } of failed.filter(isRefused)) refused[String(code)] = (refused[String(code)] ?? 0) + 1
  return {
    failed: failed.filter((one) => !isOfKilled(one) && !isRefused(one)),
    ofKilled: failed.filter(isOfKilled).length,
    refused,
  }
}

/** How often each task ran. */
function ranOf(file: string): Map<number, number> {
  const counts = new Map<number, number>()
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1)
  }
  return counts
}

async function memoryOf(stage: Awaited<ReturnType<typeof startStage>>) {
  const workers = await stage.workers()
  const inMb = (pid: number) => Math.round(rss(pid) / 2 ** 20)
  return { primary: inMb(stage.cluster.pid), workers: workers.reduce((sum, { pid }) => sum + inMb(pid), 0) }
}
