// How much memory a process has of the machine, once its garbage is gone.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** In bytes: the heap, buffers, and what libuv and OpenSSL keep beside it. The kernel's part of a socket is not in it. */
export function residentBytes() {
  // What the first frees may hold what the second frees.
  collect()
  collect()
  return process.memoryUsage.rss()
}
