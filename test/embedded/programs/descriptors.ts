// Owns the exhaustion of a process's file descriptors.
import { openSync } from 'node:fs'

/** Opens files until there is no descriptor left; answers them. */
export function takeDescriptors(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error
    return taken
  }
}
