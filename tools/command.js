// Runs one command in a process group of its own, so that whatever it leaves behind can be found and ended.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const OUTPUT_LIMIT = 200_000
const LEFTOVER_GRACE_MS = 5_000

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP']

const running = new Set()

/** The groups are not the terminal's: its Ctrl-C reaches this process alone. */
function endEverything() {
  for (const group of running) killGroup(group)
  process.exit(130)
}

function enter(group) {
  if (running.size === 0) for (const signal of ENDING) process.on(signal, endEverything)
  running.add(group)
}

function leave(group) {
  running.delete(group)
  if (running.size === 0) for (const signal of ENDING) process.off(signal, endEverything)
}

/**
 * Runs the command to its end and answers `{ code, output, ms, isTimedOut, leftovers }`; `code` is null when a signal
 * ended it. `leftovers` are the command lines of processes that it started and that were still there some seconds later.
 */
export async function run(command, args, { cwd, env = {}, timeoutMs = 15 * 60_000 } = {}) {
  const start = performance.now()
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-OUTPUT_LIMIT)
    })
  }
  if (child.pid !== undefined) enter(child.pid)
  let isTimedOut = false
  const timer = setTimeout(() => {
    isTimedOut = true
    killGroup(child.pid)
  }, timeoutMs)
  const code = await new Promise((resolve) => {
    child.once('exit', resolve)
    child.once('error', (error) => {
      output += `${error.message}\n`
      resolve(127)
    })
  })
  clearTimeout(timer)
  const ms = performance.now() - start
  const leftovers = child.pid === undefined || isTimedOut ? [] : await leftoversOf(child.pid)
  if (child.pid !== undefined) {
    killGroup(child.pid)
    leave(child.pid)
  }
  return { code, output, ms, isTimedOut, leftovers }
}

async function leftoversOf(group) {
  const patience = Date.now() + LEFTOVER_GRACE_MS
  for (;;) {
    const members = membersOf(group)
    if (members.length === 0 || Date.now() > patience) return members
    await sleep(50)
  }
}

/** The command lines of the group's living members. Linux only: elsewhere nobody is found. */
function membersOf(group) {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      // The name in parentheses may itself hold spaces and parentheses; behind it: state, parent, group.
      const [, state, member] = /\) (\S) \d+ (\d+)/.exec(readProc(pid, 'stat')) ?? []
      if (Number(member) !== group || state === 'Z' || state === 'X') return []
      return [`${pid} ${readProc(pid, 'cmdline').replaceAll('\0', ' ').trim()}`]
    })
}

function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return ''
    throw error
  }
}

function killGroup(group) {
  try {
    process.kill(-group, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
