// What goes wrong for users of the client.

/** `code` is the server's, or `AH_CLIENT_TIMEOUT`, `_OFFLINE`, `_DISCONNECTED` (perhaps done), `_CLOSED`, `_OPTIONS`. */
export class RoomsError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export function failure(what: 'TIMEOUT' | 'OFFLINE' | 'DISCONNECTED' | 'CLOSED', text: string): RoomsError {
  return new RoomsError(`AH_CLIENT_${what}`, text)
}
