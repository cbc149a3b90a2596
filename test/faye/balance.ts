// Owns what stands before several processes, and the numbers that go through them.
import { type Nginx, startNginx, type TestScope } from 'fastify-ah-test-support'
import type { FayeApp } from './open-faye.ts'

/** An nginx that sends each request, or websocket, to the next app. */
export function balance(apps: readonly { readonly port: number }[], scope: TestScope): Promise<Nginx> {
  const servers = apps.map(({ port }) => `server 127.0.0.1:${port} max_fails=0;`).join(' ')
  const conf = ({ port }: { port: number }) => `
    upstream apps { ${servers} }
    server {
      listen 127.0.0.1:${port};
      location / {
        proxy_pass http://apps;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection;
        proxy_next_upstream error timeout http_503 non_idempotent;
      }
    }`
  return startNginx({ conf }, scope)
}

/** Publishes numbers on a channel until it is told to stop; answers how many. */
export function publishing({ app }: FayeApp, channel: string): () => Promise<number> {
  let isOver = false
  let number = 0
  const work = (async () => {
    while (!isOver) {
      await app.pubsub.publish(channel, number)
      number += 1
      // Time is the subject: there have to be messages before, while and after.
      if (number % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })()
  return async () => {
    isOver = true
    await work
    return number
  }
}
