// "Did you mean …?": the known name that is closest to a mistyped one.
import leven from 'leven'

/**
 * The name at most a third of its letters (at least one, at most three) away, or undefined. Letters that changed places
 * count as one; case does not count.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const allowed = Math.min(3, Math.max(1, Math.floor(name.length / 3)))
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase(), allowed) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
  return ranked[0]?.candidate
}

/** Any number above `most` if it is more: names may come from outside and be long. */
function distance(a: string, b: string, most: number): number {
  if (a === b) return 0
  if (a.length === b.length && sorted(a) === sorted(b)) return 1
  return leven(a, b, { maxDistance: most + 1 })
}

function sorted(text: string): string {
  return [...text].sort().join('')
}
