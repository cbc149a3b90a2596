// Owns what can be the name of a queue.
import { AH_TASKS_QUEUE } from './errors.ts'

const longest = 512

/** The name, or `AH_TASKS_QUEUE`. `*` stands for all queues, and a comma separates names where Resque lists them. */
export function checkQueueName(name: unknown): string {
  if (typeof name !== 'string') throw new AH_TASKS_QUEUE(`the name of a queue is a text, got ${typeof name}`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
  if (name === '' || name === '*' || /[,\u0000-\u001f\u007f]/.test(name) || !name.isWellFormed()) {
    throw new AH_TASKS_QUEUE(
      `a queue cannot be called ${JSON.stringify(name)}: the name is not empty, not "*", and holds no comma or control character`,
    )
  }
  if (name.length > longest)
    throw new AH_TASKS_QUEUE(`the name of a queue has at most ${longest} characters, got ${name.length}`)
  return name
}
