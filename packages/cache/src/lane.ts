// What is asked of one master: together where many ask in one tick, at once where one asks alone.
import { TickBatch } from 'fastify-ah-kit'
import type { RedisConnection } from 'fastify-ah-kit/redis'
import type { Answer, Asked } from './asked.ts'
import { ReplySize } from './reply-size.ts'
import { type KeyHeads, sendOnCluster, sendOne, sendTogether } from './tick-send.ts'

/** Most keys of one command: with a hundred, what the command itself costs is no longer seen. */
const mostItems = 128
/**
 * While Redis has nothing to do it gets the first keys of a tick as soon as there are so many: it works on them while this
 * process gathers the others. With all 64 of a tick in one command each would wait for the other a third of the time.
 */
const firstItems = 32
const mostBytes = 1024 * 1024

/**
 * A lone caller, who asks again only when it was answered, would pay for batches and gain nothing (a sixth of a round trip
 * on one host). So a question that finds nothing under way leaves at once, unless the last batch was of several: then
 * others are likely to come in the same tick. What comes while it is out goes into a batch.
 */
export class Lane {
  readonly #connection: RedisConnection
  readonly #heads: KeyHeads
  readonly #batch: TickBatch<Asked, Answer>
  /** What left with saves in it and is not answered yet. */
  readonly #saving = new Set<{ readonly items: readonly Asked[]; readonly answer: Promise<unknown> }>()
  #underWay = 0
  #isCrowded = false

  constructor(connection: RedisConnection, master: string, heads: KeyHeads) {
    const size = new ReplySize()
    this.#heads = heads
    this.#connection = connection
    this.#batch = new TickBatch({
      name: `cache ${master}`,
      maxItems: mostItems,
      maxBytes: mostBytes,
      sizeOf: (item) => item.value.length + item.lock.length + (item.kind === 'save' ? item.bytes.length : 0),
      send: (items) => {
        const answers = this.#send(items, size)
        if (items.some(isSave)) this.#note(items, answers)
        return answers
      },
    })
  }

  add(item: Asked): Promise<Answer> {
    if (this.#isCrowded || this.#underWay > 0 || this.#batch.waiting > 0) {
      const answer = this.#batch.add(item)
      if (this.#underWay === 0 && this.#batch.waiting >= firstItems) this.#batch.flush()
      return answer
    }
    this.#underWay += 1
    const answer = sendOne(this.#connection, item)
    answer.then(this.#answered, this.#answered)
    if (isSave(item)) this.#note([item], answer)
    return answer
  }

  /** Sends what waits: for what leaves by another way and has to come behind it. */
  flush(): void {
    this.#batch.flush()
  }

  /** The answers to come of what left with a save of the key in it. */
  savesOf(value: string): Promise<unknown>[] {
    const found = [...this.#saving].filter(({ items }) => items.some((item) => isSave(item) && item.value === value))
    return found.map(({ answer }) => answer)
  }

  async #send(items: readonly Asked[], size: ReplySize): Promise<(Answer | Error)[]> {
    const connection = this.#connection
    this.#isCrowded = items.length > 1 || this.#underWay > 0
    this.#underWay += 1
    try {
      if (items.length === 1) return [await sendOne(connection, items[0] as Asked)]
      return await (connection.isCluster
        ? sendOnCluster(connection, items)
        : sendTogether(connection, items, size, this.#heads))
    } finally {
      this.#underWay -= 1
    }
  }

  #note(items: readonly Asked[], answer: Promise<unknown>): void {
    const sent = { items, answer }
    this.#saving.add(sent)
    const forget = (): void => {
      this.#saving.delete(sent)
    }
    answer.then(forget, forget)
  }

  readonly #answered = (): void => {
    this.#underWay -= 1
  }
}

function isSave({ kind }: Asked): boolean {
  return kind === 'save'
}
