// Owns Fastify apps under test whose log lines can be read.
import Fastify, { type FastifyInstance } from 'fastify'
import { type ConnectionRequest, redisFor } from 'fastify-ah-kit/redis'
import { atEnd, type TestScope } from 'fastify-ah-test-support'

/** One line of the log. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [name: string]: unknown
}

/** An app and what it logged. */
export interface LoggedApp {
  readonly app: FastifyInstance
  /** The lines as they were written: what must not be in any log can be searched here. */
  text(): string
  lines(): LogLine[]
}

/** An app that logs from `debug` on, closed with the test. */
export function loggedApp(scope?: TestScope): LoggedApp {
  let text = ''
  const stream = {
    write: (line: string) => {
      text += line
    },
  }
  const app = Fastify({ logger: { level: 'debug', stream } })
  atEnd(scope, () => app.close())
  return {
    app,
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as LogLine),
  }
}

/** A connection of a logged app of its own; both end with the test. */
export async function connected(scope: TestScope, request: Partial<ConnectionRequest>) {
  const logged = loggedApp(scope)
  return { ...logged, connection: await redisFor(logged.app, { owner: 'test', ...request }) }
}

/** What a promise came to: its value, or the code of its error. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<T | string> {
  return promise.catch((error: Error & { code?: string }) => error.code ?? error.message)
}
