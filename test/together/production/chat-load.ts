// Owns chatters on the client of the rooms: what each said, what each heard, and what each was told to have missed.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'fastify-ah-rooms/client'
import { atEnd, type TestScope } from 'fastify-ah-test-support'
import { WebSocket } from 'ws'

type Client = ReturnType<typeof connect>

interface Listener {
  readonly client: Client
  readonly heard: Map<string, number>
  /** Moments in which it was told that messages may be missing. */
  readonly gaps: number[]
  disconnects: number
}

/** What became of it. */
export interface ChatResult {
  readonly said: number
  readonly heard: number
  /** Missed by somebody who was not told. */
  readonly lost: number
  readonly told: number
  readonly doubled: number
  readonly reconnects: number
  readonly failedSays: number
}

const pauseMs = 100

export class ChatLoad {
  readonly #listeners: Listener[] = []
  readonly #said = new Map<string, number>()
  readonly #speakers: Promise<void>[]
  #failedSays = 0
  #isOver = false

  constructor(port: number, { clients, speakers }: { clients: number; speakers: number }, scope: TestScope) {
    for (let i = 0; i < clients; i += 1) this.#listeners.push(listenAt(`ws://127.0.0.1:${port}/ah/ws`))
    atEnd(scope, () => {
      for (const { client } of this.#listeners) client.close()
    })
    this.#speakers = this.#listeners.slice(0, speakers).map(({ client }, i) => this.#speak(client, i))
    atEnd(scope, () => this.stop())
  }

  /** Ends what is being said; the others go on listening. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#speakers)
  }

  /** Whether everybody heard what was acknowledged, or was told. */
  get isComplete(): boolean {
    return this.#missed().lost === 0
  }

  result(): ChatResult {
    const counts = this.#listeners.flatMap(({ heard }) => [...heard.values()])
    return {
      said: this.#said.size,
      heard: counts.length,
      ...this.#missed(),
      doubled: counts.filter((count) => count > 1).length,
      reconnects: this.#listeners.reduce((sum, { disconnects }) => sum + disconnects, 0),
      failedSays: this.#failedSays,
    }
  }

  #missed(): { lost: number; told: number } {
    let [lost, told] = [0, 0]
    for (const { heard, gaps } of this.#listeners) {
      for (const [text, at] of this.#said) {
        if (heard.has(text)) continue
        // What it was told before does not mean what was said after.
        if (gaps.some((gap) => gap >= at)) told += 1
        else lost += 1
      }
    }
    return { lost, told }
  }

  async #speak(client: Client, index: number): Promise<void> {
    for (let n = 0; !this.#isOver; n += 1) {
      const [text, at] = [`${index}:${n}`, performance.now()]
      await client.say('lobby', text).then(
        () => this.#said.set(text, at),
        () => {
          // Nobody knows whether it was said: it is nobody's loss, and must not come twice.
          this.#failedSays += 1
        },
      )
      // Below the limit of messages a second.
      await sleep(pauseMs)
    }
  }
}

function listenAt(url: string): Listener {
  const client = connect(url, { WebSocket: WebSocket as never, minDelayMs: 100, maxDelayMs: 2_000 })
  const listener: Listener = { client, heard: new Map(), gaps: [], disconnects: 0 }
  client.on('message', ({ message }) => {
    const text = String(message)
    listener.heard.set(text, (listener.heard.get(text) ?? 0) + 1)
  })
  client.on('gap', () => listener.gaps.push(performance.now()))
  client.on('joined', ({ recovered }) => recovered || listener.gaps.push(performance.now()))
  client.on('disconnect', () => {
    listener.disconnects += 1
  })
  void client.join('lobby').catch((error: Error) => {
    // Shows as everything lost.
    console.error(`a chatter could not join: ${error.message}`)
  })
  return listener
}
