// Owns the Redis clients that tests open: an outage does not print, and none outlives its server.

interface RedisClient {
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}

export class OwnedClients {
  readonly #open = new Set<RedisClient>()

  add<Client extends RedisClient>(client: Client): Client {
    // Outages are what tests make; ioredis prints an error to which nobody listens.
    client.on('error', noteNothing)
    this.#open.add(client)
    return client
  }

  close(client: RedisClient): void {
    client.disconnect()
    this.#open.delete(client)
  }

  closeAll(): void {
    for (const client of this.#open) this.close(client)
  }
}

function noteNothing(): void {}
