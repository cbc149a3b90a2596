// Owns Bayeux by hand, over HTTP: what faye's client would never send.

/** A reply or message, as it came. */
export interface Reply {
  readonly channel?: string
  readonly clientId?: string
  readonly successful?: boolean
  readonly error?: string
  readonly data?: unknown
  readonly advice?: { readonly reconnect?: string; readonly interval?: number; readonly timeout?: number }
  readonly supportedConnectionTypes?: readonly string[]
}

/** POSTs the messages as JSON; answers all that came back. Rejects unless the status is 200. */
export async function ask(url: string, ...messages: readonly unknown[]): Promise<Reply[]> {
  const answer = await post(url, JSON.stringify(messages))
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Reply[]
}

/** POSTs any text. */
export function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
}

/** A new client's id. */
export async function shakeHands(url: string): Promise<string> {
  const hello = { channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling', 'websocket'] }
  const [reply] = await ask(url, hello)
  if (reply?.clientId === undefined) throw new Error(`no handshake: ${reply?.error}`)
  return reply.clientId
}

/** A connect that is answered after `timeout` ms at the latest. */
export function connectOf(clientId: string, timeout = 0): object {
  return { channel: '/meta/connect', clientId, connectionType: 'long-polling', advice: { timeout } }
}
