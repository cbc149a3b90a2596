// Loaded before a worker's own code when it is to be inspected: opens the inspector as soon as its port is free.
import { open } from 'node:inspector'
import { createServer } from 'node:net'

// In a reload the worker that is replaced holds the port until it ends.
const TRY_AGAIN_MS = 200
const HOST = '127.0.0.1'

/** Asks first: an inspector that cannot have its port writes so to stderr at every try. */
function openWhenFree(port: number): void {
  const probe = createServer().unref()
  probe.once('error', () => setTimeout(openWhenFree, TRY_AGAIN_MS, port).unref())
  probe.listen({ port, host: HOST }, () => probe.close(() => open(port, HOST)))
}

// What the app forks inherits the flags of this process; its inspector would wait for our port for ever.
const at = process.execArgv.indexOf(import.meta.url)
if (at > 0) process.execArgv.splice(at - 1, 2)
openWhenFree(Number(new URL(import.meta.url).searchParams.get('port')))
