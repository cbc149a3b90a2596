// A worker is killed from the page, and the one that is asked may be the victim: it answers before it dies.
import process from 'node:process'

/** Kills `pid` with -9 once the answer of `reply` is written. */
export function killOnceSaid(reply, pid) {
  reply.raw.once('finish', () => process.kill(pid, 'SIGKILL'))
}
