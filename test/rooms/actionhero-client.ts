// Owns ActionHero's own browser client, put together as its server does it: Primus' library, and the client behind it.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import { atEnd, type TestScope, until } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'

const require = createRequire(import.meta.url)

export type Reply = Readonly<Record<string, unknown>> & { readonly data: Readonly<Record<string, unknown>> }
type Then = (reply: Reply) => void

/** As much of it as the tests call. */
export interface ActionheroClient {
  readonly id: string
  readonly fingerprint: string
  readonly rooms: readonly string[]
  readonly state: string
  readonly welcomeMessage: string
  readonly client: PrimusClient
  connect(then: (error: unknown, details: Reply) => void): void
  on(event: string, listener: (message: Reply) => void): void
  detailsView(then: Then): void
  roomAdd(room: string, then?: Then): void
  roomView(room: string, then: Then): void
  roomLeave(room: string, then: Then): void
  say(room: string, message: unknown, then?: Then): void
  action(name: string, params: Readonly<Record<string, unknown>>, then: Then): void
  file(name: string, then: Then): void
  documentation(then: Then): void
  send(message: object, then?: Then): void
  disconnect(): void
}

/** As much of Primus' own. */
export interface PrimusClient {
  on(event: string, listener: (value: unknown) => void): void
  id(then: (id: string) => void): void
  write(message: unknown): void
}

/** Both files' text. `url` is JavaScript, as in ActionHero's config; so are the values of `options`. */
export async function clientSource(url: string, options: string): Promise<{ primus: string; actionhero: string }> {
  const Primus = require('primus') as new (server: unknown, options: object) => { library(): string }
  // It is never listened to: the library is all that is wanted.
  const library = new Primus(createServer(), { transformer: 'websockets', pingInterval: false }).library()
  const source = await readFile(require.resolve('actionhero/client/ActionheroWebsocketClient.js'), 'utf8')
  const defaults = `return { apiPath: '/api', cookieKey: 'sessionID', url: ${url}, ${options} }`
  const actionhero = source.replaceAll('%%URL%%', url).replaceAll('%%DEFAULTS%%', defaults)
  return { primus: library, actionhero: `${actionhero}\nthis.ActionheroWebsocketClient = ActionheroWebsocketClient` }
}

/** In this process: a page's, but for the websocket and the cookie. Disconnected at the end of the test. */
export async function openActionhero(
  port: number,
  scope: TestScope,
  { query = '', options = '' }: { query?: string; options?: string } = {},
): Promise<ActionheroClient> {
  const origin = `http://127.0.0.1:${port}`
  const reconnect = `reconnect: { min: 50, max: 200, retries: 100 }, transport: { origin: '${origin}' }`
  const { primus, actionhero } = await clientSource(`'${origin}${query}'`, `${reconnect}, ${options}`)
  const page: Record<string, unknown> = {}
  compileFunction(primus, ['require', 'WebSocket']).call(page, require, WebSocket)
  compileFunction(actionhero, ['Primus']).call(page, page['Primus'])
  const Client = page['ActionheroWebsocketClient'] as new () => ActionheroClient
  const client = new Client()
  atEnd(scope, () => client.disconnect())
  return client
}

/** Its details, once it is connected. */
export function connected(client: ActionheroClient): Promise<Reply> {
  return new Promise((resolve, reject) => {
    client.on('error', () => undefined)
    client.connect((error, details) => (error === null ? resolve(details) : reject(error)))
  })
}

/** What `ask` is answered. */
export async function answered(ask: (then: Then) => void): Promise<Reply> {
  let reply: Reply | undefined
  ask((given) => {
    reply = given
  })
  return until(() => reply, { what: `the answer to ${ask}` })
}
