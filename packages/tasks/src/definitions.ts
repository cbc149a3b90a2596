// Owns the tasks of an app by name; closed once the app is ready.
import { nearest } from 'fastify-ah-kit'
import type { Definition } from './definition.ts'
import { AH_TASKS_DEFINITION, AH_TASKS_UNKNOWN } from './errors.ts'
import { type InputCheck, inputCheckOf } from './input-check.ts'

/** A task with its check. */
export interface DefinedTask {
  readonly definition: Definition
  readonly checkInputs: InputCheck
}

export class Definitions {
  readonly #tasks = new Map<string, DefinedTask>()
  #isClosed = false

  add(definition: Definition): void {
    const { name } = definition
    if (this.#isClosed) {
      throw new AH_TASKS_DEFINITION(`the task ${name} was defined after the app was ready: define tasks while it boots`)
    }
    if (this.#tasks.has(name)) throw new AH_TASKS_DEFINITION(`the task ${name} is defined twice`)
    this.#tasks.set(name, { definition, checkInputs: inputCheckOf(definition) })
  }

  /**
   * No more from now on: other processes know this release's tasks by now. Throws `AH_TASKS_DEFINITION` for a schema that
   * cannot be used.
   */
  close(): void {
    this.#isClosed = true
    for (const { checkInputs } of this.#tasks.values()) checkInputs.prepare()
  }

  find(name: string): DefinedTask | undefined {
    return this.#tasks.get(name)
  }

  /** The task, or `AH_TASKS_UNKNOWN` with what may have been meant. */
  get(name: string): DefinedTask {
    const found = this.#tasks.get(name)
    if (found !== undefined) return found
    const close = nearest(String(name), [...this.#tasks.keys()])
    throw new AH_TASKS_UNKNOWN(String(name), close === undefined ? '' : `, did you mean ${close}?`)
  }

  /** All, in the order of their definition. */
  all(): readonly Definition[] {
    return [...this.#tasks.values()].map(({ definition }) => definition)
  }
}
