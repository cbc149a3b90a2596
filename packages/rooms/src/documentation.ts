// What clients may be told of the actions: their names, and what they take, in ActionHero's form.

/** As much of a route as is told. */
export interface DocumentedRoute {
  readonly name: string
  readonly schema: unknown
}

/** An input of an action: what its schema says, and whether it has to be there. */
type Input = Readonly<Record<string, unknown>> & { readonly required: boolean }

type Schema = Readonly<Record<string, unknown>>

// There is one of each: a route has no `apiVersion`.
const version = 1

/** By name and version. */
export function documentationOf(routes: Iterable<DocumentedRoute>): Record<string, unknown> {
  const actions = [...routes].map(({ name, schema }) => {
    const { description, summary, params, querystring, query, body } = isObject(schema) ? schema : {}
    const inputs = Object.assign({}, ...[params, querystring, query, body].map(inputsOf)) as Record<string, Input>
    const said = description ?? summary
    return [
      name,
      { [version]: { name, version, ...(said === undefined ? {} : { description: said }), inputs } },
    ] as const
  })
  return Object.fromEntries(actions)
}

/** Of a JSON schema of an object; of any other schema nothing is known. */
function inputsOf(schema: unknown): Record<string, Input> {
  const { properties, required } = isObject(schema) ? schema : {}
  if (!isObject(properties)) return {}
  const names = Array.isArray(required) ? required : []
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      { ...(isObject(property) ? property : {}), required: names.includes(name) },
    ]),
  )
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
