// Reads who works, on what, how much was done, and who leads; ours and other programs' alike.
import { RepeatGuard } from 'fastify-ah-kit/redis'
import { encodeFailure } from '../failure.ts'
import type { Scope } from '../scope.ts'
import { cleanWorker } from '../scripts/clean-worker.ts'
import type { FailedJob, RedisMemory, WorkingOn } from '../types.ts'

export class Workers {
  readonly #scope: Scope
  readonly #guard: RepeatGuard

  constructor(scope: Scope) {
    this.#scope = scope
    this.#guard = new RepeatGuard(scope.connection)
  }

  /** `<host>:<pid>` → the queues, as node-resque tells them apart. */
  async all(): Promise<Record<string, string>> {
    const { connection, keys } = this.#scope
    const members = await connection.read<string[]>('SMEMBERS', [keys.workers])
    return Object.fromEntries(
      members.map((member) => {
        const parts = member.split(':')
        const count = parts.length > 2 ? 2 : 1
        return [parts.slice(0, count).join(':'), parts.slice(count).join(':')]
      }),
    )
  }

  /** What a worker has been at for a while; undefined if it is idle or has just begun. */
  async workingOn(name: string, queues: string): Promise<WorkingOn | undefined> {
    const { connection, keys } = this.#scope
    const text = await connection.read<string | null>('GET', [keys.worker(`${name}:${queues}`)])
    return text === null ? undefined : (JSON.parse(text) as WorkingOn)
  }

  async allWorkingOn(): Promise<Record<string, WorkingOn | 'started'>> {
    const workers = Object.entries(await this.all())
    const found = await Promise.all(workers.map(([name, queues]) => this.workingOn(name, queues)))
    return Object.fromEntries(workers.map(([name], index) => [name, found[index] ?? 'started']))
  }

  /** Numbers since ever: `processed`, `failed`, and those of single workers of other programs. */
  async stats(): Promise<Record<string, string>> {
    const { connection, keys } = this.#scope
    const stem = `${keys.root}stat:`
    // By the names of the workers: nobody looks through the whole database.
    const found = await this.#statNames()
    const values = await connection.read<(string | null)[]>('MGET', found)
    const pairs = found.map((key, index) => [key.slice(stem.length), values[index] ?? ''] as const)
    return Object.fromEntries(pairs.filter(([, value]) => value !== ''))
  }

  async leader(): Promise<string | null> {
    const { connection, keys } = this.#scope
    return connection.read<string | null>('GET', [keys.leader])
  }

  /** Of the master that the queues lie on. */
  async memory(): Promise<RedisMemory> {
    const { connection, keys } = this.#scope
    const place = connection.masterOf(keys.queues)
    const masters = connection.masters()
    const master = masters.find(({ options }) => `${options.host}:${options.port}` === place) ?? masters[0]
    const text = await connection.call<string>({
      name: 'INFO',
      isWrite: false,
      send: () => (master as NonNullable<typeof master>).call('INFO', 'memory') as Promise<string>,
    })
    const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? ''
    return {
      usedMemory: Number(field('used_memory') || 0),
      maxMemory: Number(field('maxmemory') || 0),
      policy: field('maxmemory_policy') || 'noeviction',
    }
  }

  /** Takes workers off the lists that have been at one job for longer than `ageMs`; the job goes to the failed list. */
  async clean(ageMs: number): Promise<Record<string, FailedJob>> {
    const { keys } = this.#scope
    const cleaned: Record<string, FailedJob> = {}
    const workers = await this.all()
    for (const [name, on] of Object.entries(await this.allWorkingOn())) {
      // One of ours that died is found by its lease, and its jobs run again.
      if (name.includes('~ah:')) continue
      if (on === 'started' || !(Date.now() - Date.parse(on.run_at) > ageMs)) continue
      const fullName = `${name}:${workers[name]}`
      const error = new Error('Worker Timeout (killed manually)')
      const payload = JSON.stringify(on.payload ?? {})
      const entry = encodeFailure({ worker: name, queue: on.queue, payload, error })
      const stats = [name, fullName].flatMap((one) => [`${keys.failedCount}:${one}`, `${keys.processedCount}:${one}`])
      const others = [`${keys.root}worker:ping:${name}`, `${keys.worker(fullName)}:started`, keys.worker(fullName)]
      const touched = [keys.workers, keys.failed, keys.failedCount, ...stats, ...others]
      const isDone = await this.#guard.run<number>(cleanWorker, keys.calls, touched, [fullName, entry])
      if (isDone === 1) cleaned[name] = JSON.parse(entry) as FailedJob
    }
    return cleaned
  }

  async #statNames(): Promise<string[]> {
    const { keys } = this.#scope
    const names = new Set([keys.processedCount, keys.failedCount])
    for (const [name, queues] of Object.entries(await this.all())) {
      // As node-resque counts them, and as Ruby's Resque does.
      for (const counted of [name, `${name}:${queues}`]) {
        names.add(`${keys.processedCount}:${counted}`)
        names.add(`${keys.failedCount}:${counted}`)
      }
    }
    return [...names]
  }
}
