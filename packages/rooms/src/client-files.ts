// Serves the client to browsers: as a module, and as a script that makes a global of it.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** In the order in which they need each other. */
const files = [
  'rooms-error',
  'page',
  'options',
  'listeners',
  'message-order',
  'requests',
  'link',
  'memberships',
  'client',
]
const names = 'RoomsClient,RoomsError,connect'
const type = 'text/javascript; charset=utf-8'

/** `<folder of the path>/client.mjs` and `/client.js`; a name with the hash in it may be kept for ever. */
export async function serveClient(app: FastifyInstance, path: string): Promise<void> {
  const texts = await Promise.all(
    files.map((name) => readFile(new URL(`./client/${name}.js`, import.meta.url), 'utf8')),
  )
  const body = texts.map(bare).join('')
  const folder = path.slice(0, path.lastIndexOf('/'))
  serve(app, `${folder}/client`, 'mjs', `${body}export{${names}}\n`)
  // For <script src>: AhRooms.connect(…).
  serve(app, `${folder}/client`, 'js', `globalThis.AhRooms=(()=>{\n${body}return{${names}}})()\n`)
}

/** Without what joins the files, and without comments and indentation. */
function bare(text: string): string {
  return text
    .replace(/^import .*\n|^export \{.*\n/gm, '')
    .replace(/^export /gm, '')
    .replace(/^\s*\/\/.*\n?/gm, '')
    .replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
    .replace(/^ +/gm, '')
}

function serve(app: FastifyInstance, name: string, ending: string, body: string): void {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  const send = (cache: string) => (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('etag', `"${hash}"`).header('cache-control', cache).type(type)
    return request.headers['if-none-match'] === `"${hash}"` ? reply.code(304).send() : reply.send(body)
  }
  app.get(`${name}.${ending}`, send('no-cache'))
  app.get(`${name}.${hash}.${ending}`, send('public, max-age=31536000, immutable'))
}
