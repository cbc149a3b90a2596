// The commands' side of the control socket: finds the primary by its pid file and asks it.
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { toError } from 'fastify-ah-kit'
import { controlPath, PID_FILE, withControlPath } from './control-path.ts'
import { type ControlOutcome, type ControlProgress, type ControlRequest, readObjects } from './control-protocol.ts'
import { AH_CLUSTER_NOT_RUNNING, AH_CLUSTER_PRIMARY_GONE } from './errors.ts'
import { readPidFile } from './pid-file.ts'

const CONNECT_MS = 5_000
const ANSWER_MS = 5_000

/**
 * Asks the primary whose pid file lies in the folder `pids`, and answers the outcome.
 * Throws `AH_CLUSTER_NOT_RUNNING` if there is none, `AH_CLUSTER_PRIMARY_GONE` if it does not answer or dies meanwhile.
 */
export async function askPrimary(
  pids: string,
  request: ControlRequest,
  onProgress: (progress: ControlProgress) => void = () => undefined,
): Promise<ControlOutcome> {
  const file = join(pids, PID_FILE)
  const found = readPidFile(file)
  if (found?.pid === undefined) {
    const why = found === undefined ? `there is no ${file}` : `${file} names no process`
    throw new AH_CLUSTER_NOT_RUNNING(`no cluster runs here: ${why} (--pids names another folder)`)
  }
  // Whoever answers lives, whatever the times say that tell a pid from its next owner: clocks are set.
  const socket = await connect(pids, found.pid).catch((error: Error) => {
    if (found.isLive) throw error
    const why = `${file} was left by a process that is gone`
    throw new AH_CLUSTER_NOT_RUNNING(`no cluster runs here: ${why} (--pids names another folder)`, { cause: error })
  })
  // The others take as long as they take, and the end of the primary ends them.
  if (request.verb === 'status' || request.verb === 'scale') {
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_MS} ms`)))
  }
  try {
    socket.write(`${JSON.stringify(request)}\n`)
    for await (const line of readObjects(socket)) {
      if ('outcome' in line) return line['outcome'] as ControlOutcome
      if ('progress' in line) onProgress(line['progress'] as ControlProgress)
    }
  } catch (cause) {
    throw new AH_CLUSTER_PRIMARY_GONE({ cause: toError(cause) })
  } finally {
    socket.destroy()
  }
  throw new AH_CLUSTER_PRIMARY_GONE()
}

function connect(pids: string, pid: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = withControlPath(pids, (path) => createConnection(path))
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no answer')))
    socket.once('connect', () => {
      socket.setTimeout(0)
      resolve(socket)
    })
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      const isDenied = cause.code === 'EACCES' || cause.code === 'EPERM'
      const why = isDenied ? 'it belongs to another user' : cause.message
      reject(
        new AH_CLUSTER_NOT_RUNNING(`the primary (pid ${pid}) does not take orders at ${controlPath(pids)}: ${why}`, {
          cause,
        }),
      )
    })
  })
}
