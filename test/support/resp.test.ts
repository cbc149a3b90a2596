// Tests cutting a stream into Redis values.
import assert from 'node:assert/strict'
import test from 'node:test'
import { random } from './index.ts'
import { argumentsOf, RespSplitter } from './resp.ts'

const VALUES = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':-12\r\n',
  '$5\r\nhe\r\no\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n*1\r\n:1\r\n$3\r\nabc\r\n',
  '_\r\n',
  ',1.5\r\n',
  '#t\r\n',
  '(12345678901234567890\r\n',
  '=7\r\ntxt:abc\r\n',
  '!5\r\nERR x\r\n',
  '%1\r\n+key\r\n*1\r\n+value\r\n',
  '~1\r\n+member\r\n',
  '>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n',
  '|1\r\n+ttl\r\n:3\r\n+value with attributes\r\n',
]

test('every kind of value is found whole, however the stream is chopped', () => {
  const stream = Buffer.from(VALUES.join(''))
  for (let round = 0; round < 200; round++) {
    const splitter = new RespSplitter()
    const found: string[] = []
    let at = 0
    while (at < stream.length) {
      const chunk = stream.subarray(at, at + 1 + Math.floor(random() * 12))
      for (const { bytes, end, isPush } of splitter.push(chunk)) {
        found.push(bytes.toString())
        assert.equal(isPush, found.at(-1)!.startsWith('>'))
        const whole = found.join('').length
        assert.equal(at + end, whole, 'the end lies where the value ends in this chunk')
      }
      at += chunk.length
    }
    assert.deepEqual(found, VALUES)
  }
})

test('the arguments of a command are read, empty and binary ones too', () => {
  const command = Buffer.from('*4\r\n$3\r\nset\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n$2\r\né\r\n')
  assert.deepEqual(argumentsOf(command), ['set', '', '\r\n\r\n', 'é'])
})
