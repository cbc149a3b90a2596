// The routes that load balancers and orchestrators ask.
import type { FastifyInstance } from 'fastify'
import { lifecycleOf } from 'fastify-ah-kit'

/**
 * `<prefix>/live` answers 200 as long as the event loop turns. `<prefix>/ready` answers 200, or 503 with the names of
 * the checks that failed; their reasons go to the log, since anybody may ask. Paths that the app has taken are left.
 */
export function addHealthRoutes(app: FastifyInstance, prefix: string): void {
  const lifecycle = lifecycleOf(app)
  let lastFailed = ''
  const isFree = (url: string) => !app.hasRoute({ method: 'GET', url })
  const quiet = { logLevel: 'warn' as const }
  if (isFree(`${prefix}/live`)) app.get(`${prefix}/live`, quiet, async () => ({ status: 'live' }))
  if (!isFree(`${prefix}/ready`)) return
  app.get(`${prefix}/ready`, quiet, async (_request, reply) => {
    const { ready, failed } = await lifecycle.readiness()
    const names = failed.map(({ name }) => name)
    // Asked every few seconds: only a change is news.
    if (names.join() !== lastFailed) {
      lastFailed = names.join()
      if (ready) app.log.info('ready again')
      else app.log.warn({ failed }, 'not ready')
    }
    return ready ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', failed: names })
  })
}
