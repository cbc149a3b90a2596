// The flags of Node that a worker is started with.
import { withoutInspector } from './inspector-flags.ts'

const OLD_SPACE = '--initial-old-space-size'
const OLD_SPACE_MB = 64
// Each of them says how large the heap begins.
const HEAP_FLAGS = [OLD_SPACE, '--initial-heap-size']

/**
 * The primary's own flags, and a heap that is collected in full only at 64 MB (no memory is taken for it before it is
 * used). A small heap's first full collections come while the app warms up and take away what V8 has learnt of the
 * shapes of short-lived objects; V8 then treats them as of any shape for good. Measured in the hello world of
 * bench/cluster: 13.6 µs of CPU a request without it, 11.0 with it, nearly all of the difference in process.nextTick.
 */
export function workerFlags(own: readonly string[]): string[] {
  const isSaid = own.some((flag) => HEAP_FLAGS.includes(flag.split('=')[0]!.replaceAll('_', '-')))
  const flags = withoutInspector(own)
  return isSaid ? flags : [...flags, `${OLD_SPACE}=${OLD_SPACE_MB}`]
}
