// A name that people can read, and that cannot pass for another one by characters that nobody sees.

const mostCharacters = 40
// Controls, characters without a shape, and those that turn the direction of what stands behind them. The joiners are none
// of them: scripts and emoji need them.
const unseen = /[\p{Cc}\p{Cs}\p{Co}\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/u
// More marks on one letter than any script has: they would cover the lines above.
const piled = /\p{M}{5,}/u

/** `{ name }`, tidied, or `{ refusal }`: why not, for people. */
export function nameIn(given) {
  if (unseen.test(given)) return { refusal: 'this name has characters that nobody sees' }
  if (piled.test(given)) return { refusal: 'this name has too many marks on one letter' }
  const name = given.normalize('NFC').replace(/\s+/g, ' ').trim()
  const length = [...name].length
  if (length === 0) return { refusal: 'a name is needed' }
  if (length > mostCharacters)
    return { refusal: `a name has at most ${mostCharacters} characters, this one has ${length}` }
  return { name }
}
