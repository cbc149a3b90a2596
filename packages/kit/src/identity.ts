// Who this process is to the other nodes of the cluster.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import process from 'node:process'
import { environment, forgetBootId } from './environment.ts'

/** Who this process is: made once per process, the same for every plugin and every app in it. */
export interface Identity {
  /** Fresh at every start of a process; given by the manager (`AH_BOOT_ID`), so that it can announce a death. */
  readonly bootId: string
  /** Name for people: `ACTIONHERO_TITLE`, else `<host>-<pid>`. Two processes may share it. */
  readonly title: string
  /** `web`, `worker` or what the operator made up; undefined without `ACTIONHERO_ROLE`. */
  readonly role: string | undefined
  readonly host: string
  readonly pid: number
}

const identitySymbol = Symbol.for('fastify-ah.identity')

/** The identity of this process (of this thread, in a worker thread). */
export function identity(): Identity {
  const kept = globalThis as unknown as Record<symbol, Identity | undefined>
  const found = kept[identitySymbol]
  if (found !== undefined) return found
  const { bootId, title, role } = environment()
  // A process or thread that is started from here inherits the environment, and must not pass for this one.
  forgetBootId()
  const host = hostname()
  const made: Identity = Object.freeze({
    bootId: bootId ?? randomUUID(),
    title: title ?? `${host}-${process.pid}`,
    role,
    host,
    pid: process.pid,
  })
  Object.defineProperty(globalThis, identitySymbol, { value: made })
  return made
}
