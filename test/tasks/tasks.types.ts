// What the types promise of definitions, handles, names and answers, and what they refuse: compiled with the build.
import fastify, { type FastifyTypeProvider } from 'fastify'
import { type Enqueued, fastifyAhTasks, type JobTrack } from 'fastify-ah-tasks'

declare module 'fastify-ah-tasks' {
  interface AhTasks {
    typed: { inputs: { to: string }; result: number }
  }
}

/** A type provider as TypeBox' or json-schema-to-ts' is one: the type stands in the schema. */
interface StaticProvider extends FastifyTypeProvider {
  validator: this['schema'] extends { static: infer Static } ? Static : unknown
}

export async function typesOfTasks(): Promise<void> {
  const app = fastify()
  await app.register(fastifyAhTasks)

  // By the annotation of `run`.
  const annotated = app.tasks.define({ name: 'a', run: async ({ n }: { n: number }) => String(n) })
  await annotated.enqueue({ n: 1 }, { delayMs: 5 })
  const text: string = await annotated.run({ n: 1 })
  // @ts-expect-error: the inputs have a number
  await annotated.enqueue({ n: 'one' })

  // Who takes no inputs is given none.
  const without = app.tasks.define({ name: 'without', run: async () => 1 })
  await without.enqueue()
  const one: number = await without.run()
  without.item()
  // @ts-expect-error: this one takes some
  await annotated.enqueue()

  // By the schema, through the type provider.
  const provided = app.withTypeProvider<StaticProvider>()
  const schema = { inputs: { static: { to: '' } } } as const
  const typed = provided.tasks.define({
    name: 'b',
    schema,
    run: ({ to }, { attempt, signal }) => [to, attempt, signal],
  })
  await typed.enqueue({ to: '' })
  // @ts-expect-error: nobody is to get it
  await typed.enqueue({})

  // By name, as the app declares it.
  const answer: Enqueued | false = await app.tasks.enqueue('typed', { to: 'Ada' })
  const result: number = await app.tasks.run('typed', { to: 'Ada' })
  await app.tasks.enqueueIn(5, 'typed', { to: 'Ada' }, { queue: 'q' }, true)
  await app.tasks.enqueue('not declared', { anything: true })
  // @ts-expect-error: to is a text
  await app.tasks.enqueue('typed', { to: 1 })
  // @ts-expect-error: there is no such option
  await app.tasks.enqueue('typed', { to: '' }, { delay: 5 })
  // @ts-expect-error: no event is called so
  app.tasks.on('succes', () => undefined)
  const stop: () => void = app.tasks.on('success', ({ task, durationMs }) => [task, durationMs])
  const track: JobTrack | undefined = await app.tasks.track('id')
  // @ts-expect-error: run is missing
  app.tasks.define({ name: 'c' })
  stop()
  return void [one, text, answer, result, track]
}
