// An app of the cluster's tests: both plugins, and a page whose client says what it hears.
import type { FastifyInstance } from 'fastify'
import { fastifyAhFaye } from 'fastify-ah-faye'
import { fastifyAhPubsub } from 'fastify-ah-pubsub'

const page = `<!doctype html>
<title>faye</title>
<ol id="heard"></ol>
<script src="/faye/client.js"></script>
<script>
  const client = new Faye.Client('/faye', { retry: 0.1 })
  if (location.hash === '#long-polling') client.disable('websocket')
  client.addExtension({ outgoing(message, pass) {
    if (message.channel === '/meta/handshake') document.body.dataset.handshakes = 1 + Number(document.body.dataset.handshakes || 0)
    if (message.connectionType) document.body.dataset.by = message.connectionType
    pass(message)
  } })
  client.subscribe('/chat/*', (text) => {
    document.getElementById('heard').appendChild(document.createElement('li')).textContent = text
  }).then(() => { document.body.dataset.state = 'subscribed' })
  window.say = (text) => client.publish('/chat/lobby', text).then(() => 'said', (error) => error.message)
</script>`

export default async function app(instance: FastifyInstance): Promise<void> {
  await instance.register(fastifyAhPubsub)
  await instance.register(fastifyAhFaye, {
    authorize: { publish: ({ channel }) => channel !== '/chat/closed', subscribe: ({ channel }) => channel !== '/**' },
  })
  instance.get('/', async (_request, reply) => reply.type('text/html').send(page))
}
