// What a client is made with, checked: a wrong word would show as a client that never connects.
import { page } from './page.ts'
import { RoomsError } from './rooms-error.ts'
import type { ConnectOptions } from './types.ts'

/** The options with their defaults. */
export type Settings = Required<Omit<ConnectOptions, 'token'>> & Pick<ConnectOptions, 'token'>

/** Throws `AH_CLIENT_OPTIONS`. */
export function settingsOf(options: ConnectOptions): Settings {
  const numbers = { timeoutMs: 10_000, minDelayMs: 1_000, maxDelayMs: 30_000, maxQueued: 30, idleMs: 45_000 }
  const settings: Record<string, unknown> = { ...numbers, token: undefined, WebSocket: page.WebSocket }
  for (const [name, value] of Object.entries(options)) {
    if (!(name in settings)) throw wrong(`there is no option "${name}"`)
    if (value === undefined) continue
    if (name in numbers && !(Number(value) > 0 && Number(value) < 2 ** 31)) {
      throw wrong(`option "${name}": expected a number above 0, got ${String(value)}`)
    }
    settings[name] = value
  }
  if (typeof settings['WebSocket'] !== 'function') {
    throw wrong('there is no WebSocket here: give that of the package ws in the option "WebSocket"')
  }
  return settings as unknown as Settings
}

/** Where it connects; throws `AH_CLIENT_OPTIONS`. */
export function addressOf(url: string): URL {
  let address: URL | undefined
  try {
    address = new URL(url, page.location?.href)
  } catch {
    // Said below.
  }
  const protocol = address?.protocol.replace('http', 'ws')
  if (address === undefined || (protocol !== 'ws:' && protocol !== 'wss:')) {
    throw wrong(`expected ws://…, http://… or, in a page, a path, got ${url}`)
  }
  address.protocol = protocol
  address.hash = ''
  return address
}

function wrong(text: string): RoomsError {
  return new RoomsError('AH_CLIENT_OPTIONS', text)
}
