// What a run was measured on, and whether that machine had anything else to do.
import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Load of the last minute, per core, above which a run says that the machine was busy. */
const QUIET_LOAD = 0.3
const PATIENCE_MS = 60_000

/** The facts that go beside every result. */
export function machineFacts() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    redis: redisVersion(),
    kernel: release(),
    load: Number(loadavg()[0].toFixed(2)),
  }
}

/**
 * Waits up to a minute for the load to fall, then goes on whatever it is: ratios of interleaved pairs stand a busy
 * machine, only their interval gets wider. Answers what to print.
 */
export async function untilQuiet() {
  const limit = QUIET_LOAD * availableParallelism()
  const patience = Date.now() + PATIENCE_MS
  // Time itself is the subject: the kernel's average falls with time and by nothing else.
  while (loadavg()[0] > limit && Date.now() < patience) await sleep(2_000)
  const load = loadavg()[0].toFixed(2)
  return loadavg()[0] > limit
    ? `the machine is busy (load ${load}): expect wide intervals`
    : `the machine is quiet (load ${load})`
}

function redisVersion() {
  const said = execFileSync('redis-server', ['--version'], { encoding: 'utf8' })
  return /v=([\d.]+)/.exec(said)?.[1] ?? said.trim()
}
