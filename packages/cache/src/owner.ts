// Who a lock belongs to: a text that Redis keeps as the lock's value.
import { type Identity, identity } from 'fastify-ah-kit'
import { AH_CACHE_OWNER } from './errors.ts'
import { isKey } from './key.ts'
import { shown } from './shown.ts'

/** Throws `AH_CACHE_OWNER` for what cannot be the owner of a lock. */
export function checkOwner(id: unknown): asserts id is string {
  // What is no key has no UTF-8 either: Redis would keep another text, and the owner be locked out by its own lock.
  if (isKey(id)) return
  throw new AH_CACHE_OWNER(`expected the id of a lock's owner: a well-formed text that is not empty, got ${shown(id)}`)
}

/** This node: readable in `locks()`, and never that of another process or of an earlier start of this one. */
export function ownerOfNode({ title, bootId }: Identity = identity()): string {
  return `${title}:${bootId}`
}
