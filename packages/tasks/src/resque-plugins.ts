// Owns which plugins are node-resque's own, by name or as classes: those our engine does itself, where a crash leaves nothing behind.
import type { TaskPlugin } from './hook-types.ts'
import type { RetryOptions, TaskPluginClass } from './types.ts'

/** The plugins that node-resque comes with. */
export const resquePlugins = ['JobLock', 'QueueLock', 'DelayQueueLock', 'Retry', 'Noop'] as const

/** One of them. */
export type ResquePlugin = (typeof resquePlugins)[number]

/** What a definition says of its plugins. */
export type PluginOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const hooks = ['beforeEnqueue', 'afterEnqueue', 'beforePerform', 'afterPerform'] as const

/**
 * Which of node-resque's plugins this is: a name, its class, or a class on top of that which changes none of its hooks (its
 * key or its times, say). Undefined for a class of the user's own.
 */
export function resquePluginOf(plugin: string | TaskPluginClass): ResquePlugin | undefined {
  if (typeof plugin === 'string') return resquePlugins.find((name) => name === plugin)
  const own = plugin.prototype as TaskPlugin
  for (let made = own; made !== null && made !== Object.prototype; made = Object.getPrototypeOf(made)) {
    const name = resquePlugins.find((known) => known === made.constructor.name)
    if (name === undefined || !hooks.every((hook) => Object.hasOwn(made, hook))) continue
    return hooks.every((hook) => own[hook] === made[hook]) ? name : undefined
  }
  return undefined
}

/** The options of a plugin; a class is found by its name. */
export function optionsOf(
  plugin: string | TaskPluginClass,
  options: PluginOptions | undefined,
): Record<string, unknown> {
  const name = typeof plugin === 'string' ? plugin : plugin.name
  return { ...options?.[name] }
}

/** A wait before each further try, the last one for all that come after it. */
export type RetryPlan = Required<RetryOptions> & { readonly delaysMs?: readonly number[] }

/** What the plugin Retry says of failed jobs: `retryLimit` tries in all, as in node-resque. */
export function retryPlanOf(
  plugins: readonly (string | TaskPluginClass)[] | undefined,
  options: PluginOptions | undefined,
): RetryPlan | undefined {
  const retry = plugins?.find((plugin) => resquePluginOf(plugin) === 'Retry')
  if (retry === undefined) return undefined
  const { retryLimit, retryDelay, backoffStrategy } = optionsOf(retry, options)
  const delays = Array.isArray(backoffStrategy) ? backoffStrategy.filter(isDelay) : []
  return {
    attempts: isDelay(retryLimit) && retryLimit > 0 ? retryLimit : 1,
    backoffMs: isDelay(retryDelay) && retryDelay > 0 ? retryDelay : 5_000,
    factor: 1,
    jitter: 0,
    maxBackoffMs: Number.MAX_SAFE_INTEGER,
    ...(delays.length > 0 && { delaysMs: delays }),
  }
}

function isDelay(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
