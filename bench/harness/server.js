// A started HTTP server, of ours or a peer's, and what wrk measures of it.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { freePort, httpGet, until } from 'fastify-ah-test-support'

const CONNECTIONS = 64

/** Starts `node ...args(port)` and waits until it answers 200. */
export async function startServer(name, args, env) {
  const port = await freePort()
  const child = spawn(process.execPath, args(port), {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      // The end is what tells why it failed; a server that logs requests would fill the memory.
      output = (output + text).slice(-20_000)
    })
  }
  const ended = once(child, 'exit')
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(force)
  }
  try {
    await until(
      async () => {
        if (child.exitCode !== null) return 'ended'
        return (await httpGet({ port })).status === 200
      },
      { deadlineMs: 20_000, what: `an answer of ${name}` },
    )
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
  } catch (error) {
    await close()
    throw new Error(`${name} does not serve: ${error.message}\n${output}`, { cause: error })
  }
  return { port, pid: child.pid, rate: (options) => requestsPerSecond(port, options), close, output: () => output }
}

/** Requests per second over 64 connections; any error makes the measurement worthless, so it throws. */
export async function requestsPerSecond(port, { seconds, keepAlive }) {
  const header = keepAlive ? [] : ['-H', 'Connection: close']
  const { stdout } = await promisify(execFile)('wrk', [
    ...['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`],
    ...header,
    `http://127.0.0.1:${port}/`,
  ])
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  if (!(rate > 0) || /Socket errors|Non-2xx/.test(stdout)) throw new Error(`wrk had errors:\n${stdout}`)
  return rate
}
