// Owns several Redis servers that begin and end together.
import { OwnedClients } from './owned-clients.ts'
import type { RedisServerOptions } from './redis-config.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

export class ServerGroup {
  readonly clients = new OwnedClients()
  readonly #servers: RedisServer[] = []

  /** Runs `build` with a fresh group; when it fails, nothing that it started stays. */
  static async build<Whole>(build: (group: ServerGroup) => Promise<Whole>): Promise<Whole> {
    const group = new ServerGroup()
    try {
      return await build(group)
    } catch (error) {
      await group.dispose()
      throw error
    }
  }

  async start(options: RedisServerOptions): Promise<RedisServer> {
    const server = await startRedis(options)
    this.#servers.push(server)
    return server
  }

  /** Starts `count` alike. */
  startMany(count: number, options: RedisServerOptions): Promise<RedisServer[]> {
    return Promise.all(Array.from({ length: count }, () => this.start(options)))
  }

  async dispose(): Promise<void> {
    this.clients.closeAll()
    await Promise.all(this.#servers.map((server) => server.dispose()))
  }
}
