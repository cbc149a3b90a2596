// The hello world that both sides of the cluster benchmark serve, with the same options: what is compared is the manager.

export const options = { logger: false }

export default async function hello(app) {
  app.get('/', async () => ({ hello: 'world' }))
}
