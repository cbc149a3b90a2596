// The operator's hook for workers that died: whatever it does, the primary goes on.
import { toError } from 'fastify-ah-kit'
import type { Logger } from 'pino'
import type { CrashHook } from './options.ts'

/** Calls the hook; what it throws, or rejects with later, is told. Nobody awaits it: an unhandled rejection would end the cluster. */
export function guardedHook(onCrash: CrashHook, log: Logger): (...args: Parameters<CrashHook>) => Promise<void> {
  return async (...args) => {
    try {
      await onCrash(...args)
    } catch (thrown) {
      log.error({ err: toError(thrown) }, 'onCrash failed')
    }
  }
}
