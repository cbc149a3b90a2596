// Makes a value that came out of JSON unchangeable, to its depth.

/** Freezes what `JSON.parse` answered. With a list of its own: JSON may be nested deeper than calls may be. */
export function deepFreeze<T>(value: T): T {
  if (!isObject(value)) return value
  const open: object[] = [value]
  for (let object = open.pop(); object !== undefined; object = open.pop()) {
    Object.freeze(object)
    for (const inner of Object.values(object)) if (isObject(inner)) open.push(inner)
  }
  return value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
