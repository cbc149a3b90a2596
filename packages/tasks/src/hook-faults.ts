// Owns what can be wrong with a definition's middleware and plugins.
import { longestTimerMs, nearest } from 'fastify-ah-kit'
import { resquePluginOf, resquePlugins } from './resque-plugins.ts'

/** All that is wrong, in words. */
export function hookFaults({ middleware, plugins, pluginOptions }: Record<string, unknown>): string[] {
  const wrong: string[] = []
  if (middleware !== undefined && !isListOf(middleware, (name) => typeof name === 'string' && name !== '')) {
    wrong.push('middleware is a list of names')
  }
  if (plugins !== undefined) {
    if (!isListOf(plugins, (one) => typeof one === 'string' || typeof one === 'function'))
      wrong.push('plugins is a list of names and classes')
    else for (const plugin of plugins) if (typeof plugin === 'string') wrong.push(...nameFaults(plugin))
  }
  if (pluginOptions !== undefined) wrong.push(...optionFaults(pluginOptions))
  return wrong
}

// What node-resque's plugins take as a number, and the least of it: seconds, ms, tries.
const numbers: Readonly<Record<string, readonly string[]>> = {
  JobLock: ['lockTimeout', 'enqueueTimeout'],
  QueueLock: ['lockTimeout'],
  Retry: ['retryLimit', 'retryDelay'],
}

function optionFaults(given: unknown): string[] {
  if (!isObject(given) || !Object.values(given).every(isObject)) {
    return ['pluginOptions is an object: name of a plugin → its options']
  }
  const wrong: string[] = []
  for (const [plugin, names] of Object.entries(numbers)) {
    const options = given[plugin] as Record<string, unknown> | undefined
    for (const name of names) {
      const value = options?.[name]
      if (value === undefined || (typeof value === 'number' && value > 0 && value <= longestTimerMs)) continue
      wrong.push(`pluginOptions.${plugin}.${name} is a number above 0`)
    }
  }
  const { backoffStrategy } = (given['Retry'] ?? {}) as Record<string, unknown>
  if (backoffStrategy !== undefined && !isListOf(backoffStrategy, (ms) => Number.isSafeInteger(ms) && Number(ms) >= 0))
    wrong.push('pluginOptions.Retry.backoffStrategy is a list of ms')
  return wrong
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameFaults(plugin: string): string[] {
  if (resquePluginOf(plugin) !== undefined) return []
  const close = nearest(plugin, resquePlugins)
  const hint =
    close === undefined ? `there are: ${resquePlugins.join(', ')}; or give a class` : `did you mean ${close}?`
  return [`unknown plugin "${plugin}", ${hint}`]
}

function isListOf(value: unknown, accepts: (one: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(accepts)
}
