// `npm run sizes`: what each package costs who installs it. Build first.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { run } from './command.js'
import { root } from './root.js'

const kB = (bytes) => (bytes / 1000).toFixed(1)
const rows = await Promise.all(readdirSync(join(root, 'packages')).map(sizeOf))
console.log('package                  packed kB  unpacked kB  files  dependencies')
for (const { name, size, unpackedSize, entryCount, dependencies } of rows) {
  console.log(
    [
      name.padEnd(24),
      kB(size).padStart(9),
      kB(unpackedSize).padStart(12),
      String(entryCount).padStart(6),
      dependencies,
    ].join(' '),
  )
}
const folder = join(root, 'packages/rooms/dist/client')
const client = readdirSync(folder)
  .filter((name) => name.endsWith('.js'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('')
console.log(
  `\nclient of the rooms, as a page loads it: ${kB(client.length)} kB, ${kB(gzipSync(client).length)} kB gzipped`,
)

async function sizeOf(folder) {
  const { code, output } = await run('npm', ['pack', '--dry-run', '--json'], { cwd: join(root, 'packages', folder) })
  if (code !== 0) throw new Error(output)
  const [packed] = JSON.parse(output.slice(output.indexOf('[')))
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'))
  return { ...packed, dependencies: Object.keys(dependencies).length }
}
