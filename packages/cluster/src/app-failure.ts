// Why an app could not be started, in one message.
import type { CodedErrorConstructor } from 'fastify-ah-kit'
import { type ErrorReport, usefulText } from './error-report.ts'
import {
  AH_CLUSTER_ADDRESS_IN_USE,
  AH_CLUSTER_APP_FAILED,
  AH_CLUSTER_APP_INVALID,
  AH_CLUSTER_FASTIFY_NOT_FOUND,
} from './errors.ts'

/** Errors of ours whose message says all there is to say; a stack would only show our own files. */
const OURS: Readonly<Record<string, CodedErrorConstructor>> = {
  AH_CLUSTER_ADDRESS_IN_USE,
  AH_CLUSTER_APP_INVALID,
  AH_CLUSTER_FASTIFY_NOT_FOUND,
}

/** The report of what `app` threw while it was loaded or started, as the error that the operator reads. */
export function appFailure(app: string, report: ErrorReport): Error {
  const Ours = OURS[report.code ?? '']
  if (Ours !== undefined) return new Ours(report.message)
  // A plugin of ours: a wrong option, a Redis that is not there.
  if (report.code?.startsWith('AH_')) {
    return new AH_CLUSTER_APP_FAILED(`${app} could not be started: ${report.message} (${report.code})`)
  }
  return new AH_CLUSTER_APP_FAILED(`${app} could not be started\n${usefulText(report).replace(/^/gm, '  ')}`)
}
