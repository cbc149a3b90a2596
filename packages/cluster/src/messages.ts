// What the primary and its workers say to each other: one versioned, checked union each way.
import type { PeerDeath } from 'fastify-ah-kit'
import type { ErrorReport } from './error-report.ts'
import type { ClusterStatus, ListenAddress, Vitals } from './types.ts'

/** Version of the union; another one's messages are not ours to read (two releases run side by side in a reload). */
const PROTOCOL = 1

/** What a worker needs to know to begin; it comes with the listening handle. */
export interface WorkerOrders {
  readonly id: number
  readonly generation: number
  readonly title: string
  readonly app: string
  /** Undefined: it listens to nobody (role `worker`). */
  readonly address: ListenAddress | undefined
  readonly backlog: number
  /** Only if the operator said so; else the plugin's options decide. */
  readonly drainMs?: number
  readonly notReadyMs?: number
  /** Deaths of the last minute: the worker may be the first that can hear of them. */
  readonly deaths: readonly PeerDeath[]
  /** How often to say that it is alive, in ms. */
  readonly pulseMs: number
  /** Somebody adds up the workers' numbers: plugins shall report them. */
  readonly isMetered: boolean
}

/** Primary to worker. */
export type ToWorker =
  | { readonly type: 'start'; readonly orders: WorkerOrders }
  | { readonly type: 'stop' }
  | { readonly type: 'peer-death'; readonly death: PeerDeath }
  | { readonly type: 'status'; readonly request: number; readonly status: ClusterStatus }
  /** The reload that was asked for will try this release. */
  | { readonly type: 'reloading'; readonly request: number; readonly generation: number }
  /** With this many open connections it shall leave new ones to the others. */
  | { readonly type: 'ceiling'; readonly connections: number }
  /** It shall say how it fares now. */
  | { readonly type: 'ping' }
  /** Its plugins shall report their numbers now. */
  | { readonly type: 'ask-report' }
  /** It shall listen again; comes with the listening handle. */
  | { readonly type: 'listen' }

/** Worker to primary. */
export type FromWorker =
  | { readonly type: 'starting' }
  /** It serves; a stop will take at most `drainMs`. */
  | { readonly type: 'started'; readonly drainMs: number }
  /** The app could not be started; the process ends by itself. */
  | { readonly type: 'failed'; readonly error: ErrorReport }
  /** An exception or rejection that nobody caught; the process ends by itself. */
  | { readonly type: 'crashed'; readonly error: ErrorReport }
  /** It drains, asked to or not, and will take at most `drainMs`. */
  | { readonly type: 'stopping'; readonly drainMs: number }
  /** It is about to close its listening socket. */
  | { readonly type: 'deaf' }
  /** Drained and closed: nothing of it is left to recover. The process ends by itself. */
  | { readonly type: 'stopped' }
  | { readonly type: 'status'; readonly request: number }
  | { readonly type: 'reload'; readonly request: number }
  /** It is alive, and how it fares; `isShut`: it has stopped listening since it has too many connections. */
  | { readonly type: 'pulse'; readonly vitals: Vitals; readonly isShut: boolean }
  /** Numbers of a plugin; whoever adds them up checks them. */
  | { readonly type: 'report'; readonly report: unknown }

/** The message as it goes over the channel. */
export function seal<M extends ToWorker | FromWorker>(message: M): M & { readonly fastifyAh: number } {
  return { fastifyAh: PROTOCOL, ...message }
}

/** What came from the primary, or undefined if it is not ours. Only the envelope is checked: the primary is our own code. */
export function openFromPrimary(raw: unknown): ToWorker | undefined {
  if (!isSealed(raw)) return undefined
  return TO_WORKER.has(raw['type']) ? (raw as unknown as ToWorker) : undefined
}

/**
 * What came from a worker, or undefined if it is garbage: anything can call `process.send` there. Answers a new object
 * with the known members only.
 */
export function openFromWorker(raw: unknown): FromWorker | undefined {
  if (!isSealed(raw)) return undefined
  const { type, drainMs, request } = raw
  switch (type) {
    case 'starting':
    case 'deaf':
    case 'stopped':
      return { type }
    case 'started':
    case 'stopping':
      return isAmount(drainMs) ? { type, drainMs } : undefined
    case 'failed':
    case 'crashed': {
      const error = openReport(raw['error'])
      return error && { type, error }
    }
    case 'status':
    case 'reload':
      return Number.isSafeInteger(request) ? { type, request: request as number } : undefined
    case 'report':
      return { type, report: raw['report'] }
    case 'pulse': {
      const vitals = openVitals(raw['vitals'])
      return vitals && { type, vitals, isShut: raw['isShut'] === true }
    }
    default:
      return undefined
  }
}

const TO_WORKER: ReadonlySet<unknown> = new Set<ToWorker['type']>([
  'start',
  'stop',
  'peer-death',
  'status',
  'reloading',
  'ceiling',
  'listen',
  'ping',
  'ask-report',
])

function isSealed(raw: unknown): raw is Record<string, unknown> {
  return isRecord(raw) && raw['fastifyAh'] === PROTOCOL
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function openVitals(raw: unknown): Vitals | undefined {
  if (!isRecord(raw)) return undefined
  const { rssMb, utilization, connections, requests } = raw
  if (!isAmount(rssMb) || !isAmount(utilization) || !isAmount(connections) || !isAmount(requests)) return undefined
  return { rssMb, utilization, connections, requests }
}

function openReport(raw: unknown): ErrorReport | undefined {
  if (!isRecord(raw)) return undefined
  const { type, message, stack, code } = raw
  if (typeof type !== 'string' || typeof message !== 'string' || typeof stack !== 'string') return undefined
  return { type, message, stack, ...(typeof code === 'string' ? { code } : {}) }
}
