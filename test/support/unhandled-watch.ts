// Owns the watch inside a process under test: writes each error that nobody handled to the process's own file.
//
// It must not change how the process ends, so it registers no 'uncaughtException' or 'unhandledRejection' listener: either
// would suppress Node's default crash. All that crashes a process, rejections included, passes 'uncaughtExceptionMonitor'.
// A rejection that a listener of the program takes does not; those are seen by wrapping process.emit, by which Node
// announces each rejection first. Nothing looks at the error's stack before Node has prepared its report: that would
// change what it prints.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { threadId } from 'node:worker_threads'
import { UNHANDLED_DIR, type UnhandledEntry } from './unhandled-log.ts'

const dir = process.env[UNHANDLED_DIR]

if (dir !== undefined) {
  const file = join(dir, `${process.pid}-${threadId}.jsonl`)
  const write = (kind: UnhandledEntry['kind'], reason: unknown) => {
    const entry: UnhandledEntry = { kind, pid: process.pid, text: describe(reason) }
    appendFileSync(file, `${JSON.stringify(entry)}\n`)
  }
  let isRejectionAnnounced = false

  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    // The origin that Node hands over does not tell: for a throw at the top of an ES module it says unhandledRejection.
    write(isRejectionAnnounced ? 'unhandledRejection' : 'uncaughtException', error)
    isRejectionAnnounced = false
  })

  const emit = process.emit
  process.emit = function (this: NodeJS.Process, ...args: unknown[]) {
    if (args[0] !== 'unhandledRejection') return Reflect.apply(emit, this, args)
    const isTaken = Reflect.apply(emit, this, args)
    if (isTaken) write('unhandledRejection', args[1])
    // Otherwise Node raises it right now, and the monitor writes it.
    isRejectionAnnounced = !isTaken
    return isTaken
  } as typeof emit
}

function describe(reason: unknown): string {
  try {
    return inspect(reason)
  } catch {
    // A getter or an inspect method of the reason throws.
    return `a reason of type ${typeof reason} that cannot be shown`
  }
}
