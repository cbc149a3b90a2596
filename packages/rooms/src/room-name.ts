// Names of rooms: which there are.
import { AH_ROOMS_NAME } from './errors.ts'
import { shown } from './shown.ts'

const longest = 256
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
const controlCharacters = /[\u0000-\u001f\u007f]/

/** The name; throws `AH_ROOMS_NAME` for what is none. Each name is literal: there are no patterns. */
export function roomName(name: unknown): string {
  const isName =
    typeof name === 'string' &&
    name !== '' &&
    name !== '__proto__' &&
    name.length <= longest &&
    !controlCharacters.test(name)
  if (isName && name.isWellFormed()) return name
  throw new AH_ROOMS_NAME(
    `a room is required, a text of 1 to ${longest} characters without control characters, got ${shown(name)}`,
  )
}
