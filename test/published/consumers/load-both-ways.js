// Runs inside a consumer's folder: prints what import and require give for every entry that it is told.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const loaded = {}
for (const entry of process.argv.slice(2)) {
  const imported = await import(entry)
  const required = require(entry)
  loaded[entry] = {
    isSame: 'default' in imported ? required === imported.default : required === imported,
    plugin: required[Symbol.for('fastify.display-name')] ?? null,
    names: Object.keys(imported),
  }
}
console.log(JSON.stringify(loaded))
