// Workers that die: replaced at once, nobody else hurt, nothing left open.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { type HttpTarget, httpGet, isAlive, scaled, tempDir, until } from 'fastify-ah-test-support'
import { startLoad } from './load.ts'
import { getJson, startCluster } from './running.ts'

/** How a client sees that its server died: while it read, or while it wrote. */
const RESET: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])

/** Both kinds of listening socket. */
const places = [
  { kind: 'TCP', socketIn: undefined },
  { kind: 'a unix socket', socketIn: 'app.sock' },
] as const

for (const { kind, socketIn } of places) {
  const open = (t: test.TestContext, options: Parameters<typeof startCluster>[0] = {}) =>
    startCluster({ ...options, ...(socketIn === undefined ? {} : { socket: join(tempDir(t).path, socketIn) }) }, t)

  test(`[63] a worker killed under load on ${kind} is replaced, and only its own clients notice`, async (t) => {
    const cluster = await open(t)
    let [lost, answered] = [0, 0]
    for (let round = 0; round < scaled(8, 2); round += 1) {
      const before = await cluster.untilServing()
      // New clients each time: those of the last round have all moved to the survivor.
      const load = startLoad(cluster.target, { clients: 16, isKeepAlive: true }, t)
      await until(() => before.every((pid) => load.pids.has(pid)) || load.add(), { what: 'every worker has clients' })
      const victim = before[round % 2]!
      process.kill(victim, 'SIGKILL')
      await until(() => cluster.workers().some((pid) => !before.includes(pid)), { what: 'a replacement serves' })
      await load.stop()
      const died = cluster.log().find(({ msg, workerPid }) => msg.startsWith('worker died') && workerPid === victim)!
      assert.equal(died['signal'], 'SIGKILL')
      const next = cluster.log().find(({ msg, time, worker }) => {
        return msg === 'worker starts' && worker === died.worker && Number(time) >= Number(died['time'])
      })
      assert.ok(Number(next!['time']) - Number(died['time']) < 1000, 'its replacement is started without a wait')
      for (const { code, lastPid } of load.failures) {
        assert.ok(RESET.has(code), code)
        assert.ok(lastPid === victim || lastPid === undefined, `a client of ${lastPid} failed, ${victim} was killed`)
      }
      assert.ok(load.failures.length <= load.clients, 'at most one request of each client')
      lost += load.failures.length
      answered += load.answered
    }
    t.diagnostic(`${kind}, keep-alive: ${lost} requests lost, ${answered} answered`)
    assert.equal((await cluster.stop()).code, 0)
  })

  test(`[63] a worker killed under load of single-request connections on ${kind} takes at most one request of each client with it`, async (t) => {
    const cluster = await open(t)
    const load = startLoad(cluster.target, { clients: 32, isKeepAlive: false }, t)
    const kills = scaled(10, 3)
    for (let round = 0; round < kills; round += 1) {
      const before = await cluster.untilServing()
      const { answered } = load
      await until(() => load.answered > answered + 100, { what: 'the load runs' })
      const failed = load.failures.length
      process.kill(before[0]!, 'SIGKILL')
      await cluster.untilServing({ not: [before[0]!] })
      assert.ok(load.failures.length - failed <= load.clients, 'a client loses what it asked the dead worker, no more')
    }
    await load.stop()
    t.diagnostic(
      `${kind}, close per request: ${load.failures.length} lost in ${kills} kills, ${load.answered} answered`,
    )
    const unlike = load.failures.filter(({ code }) => !RESET.has(code))
    assert.deepEqual(unlike, [], 'none refused, none left hanging')
  })

  test(`[63] 100 of 100 requests made on ${kind} while no worker lives wait and are answered`, async (t) => {
    const cluster = await open(t)
    for (let round = 0; round < scaled(5, 2); round += 1) {
      const before = await cluster.untilServing()
      for (const pid of before) process.kill(pid, 'SIGKILL')
      const asked = Array.from({ length: 100 }, () => httpGet(cluster.target, { timeoutMs: 30_000 }))
      const answers = await Promise.all(asked)
      assert.equal(answers.filter(({ status }) => status === 200).length, 100)
      assert.ok(answers.every(({ body }) => !before.includes(JSON.parse(body).pid)))
    }
  })

  test(`[64] while one worker on ${kind} stands still the other answers every new connection, and its own end with it`, async (t) => {
    const cluster = await open(t)
    const [stopped, other] = await cluster.untilServing()
    // Connections that arrive all the time; those that the stopped worker had accepted must not outlive it.
    const arriving: Promise<'answered' | 'closed' | 'open'>[] = []
    const arrive = setInterval(() => arriving.push(outcome(cluster.target)), 2)
    t.after(() => clearInterval(arrive))
    await until(() => arriving.length > 50)
    process.kill(stopped!, 'SIGSTOP')
    const fresh = await Promise.all(Array.from({ length: 50 }, () => getJson<{ pid: number }>(cluster.target, '/')))
    assert.ok(fresh.every(({ pid }) => pid === other))
    process.kill(stopped!, 'SIGKILL')
    await until(() => !isAlive(stopped!))
    clearInterval(arrive)
    const outcomes = await Promise.all(arriving)
    t.diagnostic(
      `${kind}: ${outcomes.filter((one) => one === 'closed').length} of ${outcomes.length} were the stopped worker's`,
    )
    assert.equal(outcomes.filter((one) => one === 'open').length, 0)
    await cluster.untilServing({ not: [stopped!] })
  })
}

/** What became of a connection with one request on it: `open` if nothing ever came of it. */
function outcome(target: HttpTarget): Promise<'answered' | 'closed' | 'open'> {
  return new Promise((resolve) => {
    const socket: Socket = 'port' in target ? connect(target.port, '127.0.0.1') : connect(target.socketPath)
    const end = (result: 'answered' | 'closed' | 'open') => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(20_000, () => end('open'))
    socket.once('data', () => end('answered'))
    socket.once('error', () => end('closed'))
    socket.once('end', () => end('closed'))
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  })
}
