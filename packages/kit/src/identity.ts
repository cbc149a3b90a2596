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

const instancesSymbol = Symbol.for('fastify-ah.instances')

/**
 * An id for one more part of this process that others must tell from every other: the boot id for the first of a kind,
 * with a number behind it for each one more (a second app in this process, say). What is filed under the ids of a
 * process begins with its boot id, so a death that the manager announces names them all: see {@link isInstanceOf}.
 */
export function instanceId(kind: string): string {
  const kept = globalThis as unknown as Record<symbol, Map<string, number> | undefined>
  const counts = kept[instancesSymbol] ?? new Map<string, number>()
  if (kept[instancesSymbol] === undefined) Object.defineProperty(globalThis, instancesSymbol, { value: counts })
  const count = (counts.get(kind) ?? 0) + 1
  counts.set(kind, count)
  const { bootId } = identity()
  return count === 1 ? bootId : `${bootId}.${count}`
}

/** Whether an id was made by {@link instanceId} in the process with this boot id. */
export function isInstanceOf(bootId: string, id: string): boolean {
  return id === bootId || (id.startsWith(`${bootId}.`) && /^\d+$/.test(id.slice(bootId.length + 1)))
}
