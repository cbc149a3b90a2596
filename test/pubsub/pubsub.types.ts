// What the types promise, and what they refuse: compiled with the tests, never run.
import type { Channel, ChannelSubscription, MessageInfo, NodeAnswer, PubSub } from 'fastify-ah-pubsub'

interface Order {
  readonly id: number
}

declare module 'fastify-ah-pubsub' {
  interface AhChannels {
    '/types/orders': Order
  }
}

export async function promises(pubsub: PubSub): Promise<unknown> {
  const orders: Channel<Order> = pubsub.channel('/types/orders')
  await orders.publish({ id: 7 })
  // @ts-expect-error: the id is a number
  await orders.publish({ id: '7' })
  const held: ChannelSubscription = await orders.subscribe(({ id }, info: MessageInfo) => [id.toFixed(), info.at])
  await pubsub.subscribe('/types/orders', (order) => order.id.toFixed())
  await pubsub.publish('/types/orders', { id: 7 })
  // @ts-expect-error: an order has an id
  await pubsub.publish('/types/orders', {})
  // @ts-expect-error: nobody said what comes on this channel
  await pubsub.subscribe('/types/other', (data) => data.id)
  await pubsub.publish('/types/other', { any: 'thing' })
  const named = pubsub.channel<{ readonly text: string }>('/types/text')
  await named.subscribe(({ text }) => text.length)
  // @ts-expect-error: there is no such event
  pubsub.on('nodeDied', () => undefined)
  const stop: () => void = pubsub.on('gap', ({ channels, reason }) => [channels.length, reason])
  pubsub.handle<[number, number]>('add', ([a, b], { from, signal }) => [a + b, from, signal.aborted])
  const sum: number = await pubsub.call<number>('add', [1, 2], { node: pubsub.id })
  const unsure = await pubsub.call('add', [1, 2])
  // @ts-expect-error: what a call answers is not known
  unsure.toFixed()
  const all: readonly NodeAnswer<number>[] = await pubsub.callAll<number>('add', [1, 2], { timeoutMs: 100 })
  // @ts-expect-error: all are asked
  await pubsub.callAll('add', [1, 2], { node: pubsub.id })
  return [held, stop, sum, unsure, all]
}
