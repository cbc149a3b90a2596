// Owns the middleware of an app by name, and the order in which it stands around a task.
import { AH_TASKS_DEFINITION } from './errors.ts'
import type { TaskMiddleware } from './hook-types.ts'

// As in ActionHero.
const defaultPriority = 100
const members = new Set(['name', 'global', 'priority', 'preProcessor', 'postProcessor', 'preEnqueue', 'postEnqueue'])
const hookNames = ['preProcessor', 'postProcessor', 'preEnqueue', 'postEnqueue'] as const

export class Middlewares {
  readonly #all = new Map<string, TaskMiddleware>()
  #isClosed = false

  /** Throws `AH_TASKS_DEFINITION`. */
  add(middleware: TaskMiddleware): void {
    const wrong = faultsOf(middleware)
    const { name } = middleware ?? {}
    if (this.#isClosed) wrong.push('it came after the app was ready: add middleware while it boots')
    if (this.#all.has(name)) wrong.push('there is one of that name already')
    if (wrong.length > 0) {
      throw new AH_TASKS_DEFINITION(
        `the middleware ${typeof name === 'string' && name !== '' ? name : '(without a name)'}: ${wrong.join('; ')}`,
      )
    }
    this.#all.set(name, Object.freeze({ ...middleware }))
  }

  /** No more from now on. */
  close(): void {
    this.#isClosed = true
  }

  /** What stands around a task: global ones by priority, equal ones as they were added, then its own as it names them. */
  around(task: string, names: readonly string[]): readonly TaskMiddleware[] {
    const own = names.map((name) => {
      const found = this.#all.get(name)
      if (found !== undefined) return found
      throw new AH_TASKS_DEFINITION(`the task ${task}: there is no middleware ${name}; add it with addMiddleware`)
    })
    const shared = [...this.#all.values()].filter(({ global }) => global === true)
    return [...shared.sort((one, other) => priorityOf(one) - priorityOf(other)), ...own]
  }
}

function priorityOf({ priority = defaultPriority }: TaskMiddleware): number {
  return priority
}

function faultsOf(given: unknown): string[] {
  if (typeof given !== 'object' || given === null) return ['a middleware is an object']
  const middleware = given as Record<string, unknown>
  const { name, global, priority } = middleware
  const wrong = Object.keys(middleware)
    .filter((member) => !members.has(member))
    .map((member) => `unknown member "${member}"`)
  if (typeof name !== 'string' || name === '') wrong.push('name is a text that is not empty')
  if (global !== undefined && typeof global !== 'boolean') wrong.push('global is true or false')
  if (priority !== undefined && !Number.isFinite(priority)) wrong.push('priority is a number')
  for (const hook of hookNames) {
    if (middleware[hook] !== undefined && typeof middleware[hook] !== 'function') wrong.push(`${hook} is a function`)
  }
  return wrong
}
