// Owns the check of a task's inputs by its schema, with the compiler of the scope that it is defined in.
import ajvCompiler from '@fastify/ajv-compiler'
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import type { Definition } from './definition.ts'
import { AH_TASKS_DEFINITION, AH_TASKS_INPUTS } from './errors.ts'

/** Answers the inputs as the schema makes them (defaults, types), or throws `AH_TASKS_INPUTS`. */
export interface InputCheck {
  (inputs: unknown): unknown
  /** Compiles the schema; throws `AH_TASKS_DEFINITION` if that cannot be. */
  readonly prepare: () => void
}

/** What a compiled check answers: Ajv's boolean, or what other compilers answer. */
type Verdict = boolean | { readonly error?: unknown; readonly value?: unknown }
type Validate = ((inputs: unknown) => Verdict) & {
  readonly errors?: readonly { message?: string; instancePath?: string }[]
}

/** The check of a task, made when it is first needed: until the app is ready its compiler may be replaced. */
export function inputCheckOf({ name, schema, app }: Definition): InputCheck {
  if (schema === undefined) return Object.assign((inputs: unknown) => inputs, { prepare() {} })
  let compiled: Validate | undefined
  const prepare = (): Validate => {
    compiled ??= compile(name, schema, app)
    return compiled
  }
  const check = (inputs: unknown): unknown => {
    const validate = prepare()
    const verdict = validate(inputs)
    if (typeof verdict !== 'object') {
      if (verdict !== false) return inputs
      const said = (validate.errors ?? []).map(({ instancePath, message }) => `inputs${instancePath ?? ''} ${message}`)
      throw new AH_TASKS_INPUTS(`the task ${name}: ${said.join('; ') || 'the inputs do not fit the schema'}`)
    }
    const { error } = verdict
    if (error !== undefined && error !== null) {
      const message = error instanceof Error ? error.message : JSON.stringify(error)
      throw new AH_TASKS_INPUTS(`the task ${name}: ${message}`, { cause: error })
    }
    return 'value' in verdict ? verdict.value : inputs
  }
  return Object.assign(check, { prepare })
}

function compile(name: string, schema: unknown, app: FastifyInstance): Validate {
  // Undefined until some route has a schema.
  const compiler = (app.validatorCompiler ?? fallback(app)) as FastifySchemaCompiler<unknown>
  try {
    return compiler({ schema, method: 'POST', url: `task ${name}`, httpPart: 'body' }) as unknown as Validate
  } catch (cause) {
    throw new AH_TASKS_DEFINITION(`the task ${name}: its schema cannot be used: ${(cause as Error).message}`, { cause })
  }
}

function fallback(app: FastifyInstance): unknown {
  // As Fastify makes it for routes.
  const build = ajvCompiler() as unknown as (schemas: unknown, options: unknown) => unknown
  return build(app.getSchemas(), { customOptions: {} })
}
