// Clients that ask without pause on connections of their own, and count what goes wrong.
import { Agent, request } from 'node:http'

/** Starts `connections` clients on keep-alive connections; `stop` answers how many requests went well and how many not. */
export function busyClients(port, connections) {
  const counts = { answered: 0, errors: 0 }
  let isStopping = false
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!isStopping) {
      try {
        await ask(port, agent)
        counts.answered += 1
      } catch {
        // A refusal takes no time: without a pause it would be counted by the thousand.
        counts.errors += 1
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    agent.destroy()
  }
  const running = Array.from({ length: connections }, client)
  return {
    counts,
    async stop() {
      isStopping = true
      await Promise.all(running)
      return counts
    },
  }
}

function ask(port, agent) {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', agent, timeout: 10_000 }, (answer) => {
      answer.resume().once('error', reject)
      answer.once('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(String(answer.statusCode)))))
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer')))
    asked.once('error', reject).end()
  })
}
