// The one place where plugins read the process's environment.
import process from 'node:process'

/** What the plugins take from the environment; an empty variable counts as unset. */
export interface Environment {
  /** Given by the manager to each worker it forks; see {@link forgetBootId}. */
  readonly bootId: string | undefined
  readonly title: string | undefined
  readonly role: string | undefined
  readonly redisUrl: string | undefined
  /** ActionHero's `SERVER_TOKEN`: the secret that the servers of one app share. */
  readonly serverToken: string | undefined
  readonly isProduction: boolean
}

/** The environment as it is now. */
export function environment(): Environment {
  const { AH_BOOT_ID, ACTIONHERO_TITLE, ACTIONHERO_ROLE, REDIS_URL, SERVER_TOKEN, NODE_ENV } = process.env
  return {
    bootId: AH_BOOT_ID || undefined,
    title: ACTIONHERO_TITLE || undefined,
    role: ACTIONHERO_ROLE || undefined,
    redisUrl: REDIS_URL || undefined,
    serverToken: SERVER_TOKEN || undefined,
    isProduction: NODE_ENV === 'production',
  }
}

/** Takes the boot id out of the environment. */
export function forgetBootId(): void {
  delete process.env.AH_BOOT_ID
}
