// Owns which of two messages of a room is the later.

/** Ids ascend: `<ms>-<number>`. */
export function isLater(id: unknown, last: unknown): boolean {
  const [ms = 0, number = 0] = String(id).split('-').map(Number)
  const [lastMs = 0, lastNumber = 0] = String(last).split('-').map(Number)
  return ms > lastMs || (ms === lastMs && number > lastNumber)
}
