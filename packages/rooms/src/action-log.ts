// What the log shows of calls of actions: their URLs, without the params that nobody is to read.
import type { RouteOptions } from 'fastify'
import type { FilteredParams } from 'fastify-ah-kit'

type Factory = NonNullable<RouteOptions['childLoggerFactory']>
type Serializer = (value: unknown) => unknown

// pino's own, for those who look at a logger.
const serializersOf = Symbol.for('pino.serializers')

/** Makes the loggers of a route's requests as `factory` does, but for filtered params in the URL that they show. */
export function filteringFactory(factory: Factory, url: string, filtered: FilteredParams): Factory {
  return function (logger, bindings, options, request) {
    const child = factory.call(this, logger, bindings, options, request)
    const serialize = (child as unknown as Record<symbol, { req?: Serializer } | undefined>)[serializersOf]?.req
    // No logger of pino's, or one that shows no requests.
    if (serialize === undefined) return child
    const req: Serializer = (value) => {
      const shown = serialize(value)
      return isShown(shown) ? { ...shown, url: filteredUrl(shown.url, url, filtered) } : shown
    }
    return child.child({}, { serializers: { req } }) as typeof child
  }
}

/** `asked` without what is filtered; `route` is the path that it was found by, as in `/users/:name`. */
function filteredUrl(asked: string, route: string, filtered: FilteredParams): string {
  const [path = '', ...queries] = asked.split('?')
  const names = route.split('/')
  const parts = path.split('/').map((part, index) => {
    const name = /^:([^(?]+)/.exec(names[index] ?? '')?.[1]
    return name === undefined ? part : filtered.shownAs(name, part)
  })
  if (queries.length === 0) return parts.join('/')
  const pairs = queries
    .join('?')
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=')
      if (at === -1) return pair
      const [name] = [...new URLSearchParams(pair).keys()]
      return `${pair.slice(0, at)}=${filtered.shownAs(name ?? '', pair.slice(at + 1))}`
    })
  return `${parts.join('/')}?${pairs.join('&')}`
}

function isShown(value: unknown): value is { readonly url: string } {
  return typeof value === 'object' && value !== null && typeof (value as { url?: unknown }).url === 'string'
}
