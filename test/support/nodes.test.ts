// Tests the list of Node versions.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { nodes } from './index.ts'

test('each listed binary is the version that the list says, the running one first', () => {
  const list = nodes()
  assert.equal(list[0]!.version, process.versions.node)
  for (const { path, version } of list) {
    assert.equal(execFileSync(path, ['--version'], { encoding: 'utf8' }).trim(), `v${version}`)
  }
})
