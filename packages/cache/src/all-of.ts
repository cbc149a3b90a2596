// Many calls as one.

/**
 * All answers, or the first error; in either case when all of them have ended, so that nothing of a failed call is still
 * under way.
 */
export async function allOf<T>(calls: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(calls)
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}
