// Owns the middleware of an app, and which hooks stand around which task.
import type { Definition } from './definition.ts'
import type { Definitions } from './definitions.ts'
import type { TaskMiddleware } from './hook-types.ts'
import { Middlewares } from './middlewares.ts'
import { type HookParts, TaskHooks } from './task-hooks.ts'

export class Hooks {
  readonly #parts: HookParts
  readonly #middlewares = new Middlewares()
  readonly #ofTask = new Map<string, TaskHooks | undefined>()

  constructor(parts: HookParts) {
    this.#parts = parts
  }

  /** Throws `AH_TASKS_DEFINITION`. */
  add(middleware: TaskMiddleware): void {
    this.#middlewares.add(middleware)
    this.#ofTask.clear()
  }

  /** No more middleware from now on. Throws `AH_TASKS_DEFINITION` if a task names one that there is not. */
  close(definitions: Definitions): void {
    this.#middlewares.close()
    for (const definition of definitions.all()) this.of(definition)
  }

  /** Undefined for a task that has none, as most: its jobs take the short way. */
  of(definition: Definition): TaskHooks | undefined {
    const { name, plugins } = definition
    const known = this.#ofTask.get(name)
    if (known !== undefined || this.#ofTask.has(name)) return known
    const middleware = this.#middlewares.around(name, definition.middleware)
    const made = plugins.length + middleware.length > 0 ? new TaskHooks(this.#parts, definition, middleware) : undefined
    this.#ofTask.set(name, made)
    return made
  }
}
