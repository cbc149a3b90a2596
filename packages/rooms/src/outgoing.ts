// What clients are told of themselves, and of what failed.
import type { Connection } from './connection.ts'

/** The members of a reply. */
export type Reply = Record<string, unknown>

/** The reply to what failed, as ActionHero writes it, with the code: of an action without "Error: ". */
export function errorReply(error: Error & { code?: unknown }, messageId: unknown, verb?: unknown): Reply {
  const text = `Error: ${error.message}`
  const code = typeof error.code === 'string' ? { code: error.code } : {}
  return { status: text, error: verb === 'action' ? error.message : text, ...code, context: 'response', messageId }
}

/** As ActionHero's `detailsView`. */
export function detailsOf(connection: Connection): Reply {
  const { id, user, fingerprint, request, connectedAt, rooms, totalActions, pendingActions } = connection
  return {
    id,
    fingerprint,
    user,
    remoteIP: request.ip,
    params: {},
    connectedAt,
    rooms,
    totalActions,
    pendingActions,
  }
}
