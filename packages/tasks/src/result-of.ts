// Waits for the result of a tracked job.
import { checkMembers, checkMs } from './call-check.ts'
import { AH_TASKS_FAILED, AH_TASKS_NOT_TRACKED, AH_TASKS_WAIT_TIMEOUT } from './errors.ts'
import type { Tracks } from './store/tracks.ts'

// How long it is waited for where nobody says, in ms.
const waitMs = 30_000

/** The result; rejects if there is none, or not in time. */
export async function resultOf(tracks: Tracks, id: string, options: { readonly timeoutMs?: number }): Promise<unknown> {
  checkMembers('the options of waitFor', options, ['timeoutMs'])
  const timeoutMs = checkMs('timeoutMs', options.timeoutMs ?? waitMs)
  const track = await tracks.ended(id, timeoutMs)
  switch (track?.state) {
    case undefined:
      throw new AH_TASKS_NOT_TRACKED(id)
    case 'succeeded':
      return track.result
    case 'failed':
      throw new AH_TASKS_FAILED(id, track.error?.message ?? 'no reason is known', { cause: track.error })
    case 'cancelled':
      throw new AH_TASKS_FAILED(id, 'it was cancelled')
    default:
      throw new AH_TASKS_WAIT_TIMEOUT(id, timeoutMs)
  }
}
