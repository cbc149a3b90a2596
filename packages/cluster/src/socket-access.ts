// Who may connect to the unix socket: its mode and its group.
import { execFile } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { promisify } from 'node:util'
import { toError } from 'fastify-ah-kit'
import { AH_CLUSTER_ADDRESS_INVALID } from './errors.ts'

/** Undefined: as the process's umask and group say. */
export interface SocketAccess {
  /** Octal: `0660`. */
  readonly socketMode?: string
  /** Name or number. */
  readonly socketGroup?: string
}

const CHGRP_MS = 5_000

/** That part of the options. */
export function accessOf({ socketMode, socketGroup }: SocketAccess): SocketAccess {
  return { ...(socketMode === undefined ? {} : { socketMode }), ...(socketGroup === undefined ? {} : { socketGroup }) }
}

/** Throws `AH_CLUSTER_ADDRESS_INVALID` if there is no such group, or this user is not of it. */
export async function admit(path: string, { socketMode, socketGroup }: SocketAccess): Promise<void> {
  // Node knows no names of groups; the system's command knows them wherever they are kept.
  if (socketGroup !== undefined) await changeGroup(path, socketGroup)
  if (socketMode !== undefined) chmodSync(path, Number.parseInt(socketMode, 8))
}

async function changeGroup(path: string, group: string): Promise<void> {
  try {
    await promisify(execFile)('chgrp', ['--', group, path], { timeout: CHGRP_MS })
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string }
    const reason = stderr.trim().replace(/^chgrp: /, '') || toError(cause).message
    throw new AH_CLUSTER_ADDRESS_INVALID(`the socket ${path} cannot be given to the group "${group}": ${reason}`, {
      cause,
    })
  }
}
