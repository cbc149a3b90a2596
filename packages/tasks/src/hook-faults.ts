// Owns what can be wrong with a definition's middleware and plugins.
import { nearest } from 'fastify-ah-kit'
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
  if (pluginOptions !== undefined && (typeof pluginOptions !== 'object' || pluginOptions === null)) {
    wrong.push('pluginOptions is an object: name of a plugin → its options')
  }
  return wrong
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
