// Owns the end of a test: what was started is stopped in reverse order, all of it, whatever fails on the way.

/**
 * Where a resource lives: a node:test `TestContext`, or anything else with `after`, such as `test` itself for a whole file
 * (`startRedis({}, test)` at top level).
 */
export interface TestScope {
  after(hook: () => unknown): void
}

const disposersOf = new WeakMap<TestScope, (() => unknown)[]>()

/**
 * Runs `dispose` at the end of the test. Unlike node:test's own `after` hooks these run last in, first out, so an app is
 * closed before the Redis it was given; use this instead of `t.after` beside support's resources.
 */
export function atEnd(scope: TestScope | undefined, dispose: () => unknown): void {
  if (!scope) return
  const known = disposersOf.get(scope)
  if (known) {
    known.push(dispose)
    return
  }
  const disposers = [dispose]
  disposersOf.set(scope, disposers)
  scope.after(() => disposeAll(disposers))
}

async function disposeAll(disposers: (() => unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (let dispose = disposers.pop(); dispose; dispose = disposers.pop()) {
    try {
      await dispose()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join('\n'))
}
