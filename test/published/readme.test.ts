// What is taken from a README, and what is missed in it.
import assert from 'node:assert/strict'
import test from 'node:test'
import { instructionsOf } from './readme.ts'

const install = '```sh\nnpm install fastify fastify-ah-cache # no Redis needed\n```\n'
const js = (...lines: string[]) => ['```js', ...lines, '```', ''].join('\n')

test('the first install, the first block of js and the first npx line are the instructions', () => {
  const readme = [
    '# cluster',
    install,
    js(
      '// app.js',
      'app.get("/double", a)',
      "app.get('/', b)",
      "app.get('/users/:id', c)",
      'await app.listen({ port: 3000 })',
    ),
    '```sh\nnpx fastify-ah start cluster app.js --workers 2 --port 8080\n```',
    js('second()'),
  ].join('\n')
  const { installs, example, command } = instructionsOf(readme)
  assert.deepEqual(installs, ['fastify', 'fastify-ah-cache'])
  assert.deepEqual(command, ['fastify-ah', 'start', 'cluster', 'app.js', '--workers', '2', '--port', '8080'])
  assert.equal(example.file, 'app.js')
  assert.equal(example.port, 3000)
  assert.deepEqual(example.paths, ['/'])
  assert.doesNotMatch(example.code, /second|```/)
})

test('what the example prints stands behind each console.log', () => {
  const { example, command } = instructionsOf(
    install + js("console.log(await app.cache.get('a')) // { name: 'Ada' }", 'console.log(1)', '  console.log(2) // 2'),
  )
  assert.deepEqual(example.prints, ["{ name: 'Ada' }", '2'])
  assert.equal(example.file, 'example.js')
  assert.equal(example.port, undefined)
  assert.equal(command, undefined)
})

test('a README without an install or without an example is refused', () => {
  assert.throws(() => instructionsOf(js('a()')), /npm install/)
  assert.throws(() => instructionsOf(install), /block of js/)
})
