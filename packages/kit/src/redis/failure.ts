// What a failure that ioredis reports means, and how it is shown without what it must not show.

/** What to do about a failed command. */
export type Failure = 'disconnected' | 'silent' | 'busy' | 'demoted' | 'no-script' | 'stale' | 'refused'

// Answers that say "not now" and that nothing was applied.
const notNow = new Set(['LOADING', 'CLUSTERDOWN', 'MASTERDOWN', 'TRYAGAIN', 'BUSY'])

/**
 * `disconnected`: the connection broke, the fate of the command is unknown. `silent`: the client's own `commandTimeout`
 * is over. `busy`: Redis cannot do it now and did nothing. `demoted`: likewise, and another server may be the master.
 * `no-script`: EVALSHA of a script that this server does not know. `stale`: a guarded script saw a later call first, so
 * this one may have been applied, and its answer is gone. `refused`: an answer for the caller.
 */
export function classify(error: Error): Failure {
  if (error.name !== 'ReplyError') return error.message === 'Command timed out' ? 'silent' : 'disconnected'
  const first = error.message.split(' ', 1)[0] ?? ''
  if (first === 'NOSCRIPT') return 'no-script'
  if (first === 'AHSTALE') return 'stale'
  if (first === 'READONLY') return 'demoted'
  return notNow.has(first) ? 'busy' : 'refused'
}

/** Whether a move of slots refused it: sent alone, the client follows the redirection. */
export function isRedirection(error: Error): boolean {
  return error.name === 'ReplyError' && /^(MOVED|ASK) /.test(error.message)
}

/** Whether waiting cannot mend it: the password, the user's rights, the certificate, a server without Cluster. */
export function isFatalAtBoot(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  if (/^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR Client sent AUTH)/.test(error.message)) return true
  if (/cluster support disabled/.test(error.message)) return true
  return code !== undefined && /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)
}

/** What Cluster, and Node for a name with several addresses, wrap. */
interface Wrapping {
  readonly lastNodeError?: Error
  readonly errors?: readonly Error[]
  readonly cause?: unknown
  readonly code?: unknown
}

/** The innermost of wrapped errors: it says what went wrong. */
export function reasonOf(error: Error): Error {
  const inner = innerOf(error)
  return inner === undefined ? withoutArguments(error) : reasonOf(inner)
}

/**
 * The error, and those inside of it, without the arguments of its command: they hold passwords (HELLO, AUTH) and users'
 * values, and a logger prints every member of an error.
 */
export function withoutArguments(error: Error): Error {
  const inner = innerOf(error)
  if (!('command' in error) && inner === undefined) return error
  const clean: Error & { code?: unknown } = new Error(error.message || inner?.message)
  clean.name = error.name
  if (error.stack !== undefined) clean.stack = error.stack
  if (inner !== undefined) clean.cause = withoutArguments(inner)
  const { code } = error as Wrapping
  if (code !== undefined) clean.code = code
  return clean
}

function innerOf(error: Error): Error | undefined {
  const { lastNodeError, errors, cause } = error as Wrapping
  return lastNodeError ?? errors?.[0] ?? (cause instanceof Error ? cause : undefined)
}
