// The faults: their list, the tests that carry their numbers, and the promises that name them, agree.
import assert from 'node:assert/strict'
import test from 'node:test'
import { allSources, textOf } from './project.ts'

/** The numbers in a text such as `1, 2] [11a`. */
const numbersIn = (text: string) => text.match(/\d+[a-z]?/g) ?? []
/** The cells of one column of all tables of a page. */
const column = (page: string, place: number) =>
  textOf(page)!
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(/(?<!\\)\|/).at(place)!)
/** The title of a test: `test('[14] …`, with the quote that ends it on this line. */
const TITLE = /\b(?:test|it)\(\s*[`'"]((?:\[\d+[a-z]?(?:, ?\d+[a-z]?)*\] ?)+)/g

const listed = new Set(column('docs/testing.md', 1).flatMap(numbersIn))
const promised = new Set(column('docs/guarantees.md', -2).flatMap(numbersIn))
const tested = new Set(
  allSources()
    .filter(({ path }) => /^test\/(?!architecture\/).*\.ts$/.test(path))
    .flatMap(({ text }) => [...text.matchAll(TITLE)].flatMap(([, numbers]) => numbersIn(numbers!))),
)
const without = (all: Set<string>, others: Set<string>) => [...all].filter((number) => !others.has(number))

test('every fault of the list has a test that carries its number, and no test carries another', () => {
  assert.deepEqual(without(listed, tested), [])
  assert.deepEqual(without(tested, listed), [])
})

test('every fault of the list stands behind a promise, and no promise names another', () => {
  assert.deepEqual(without(listed, promised), [])
  assert.deepEqual(without(promised, listed), [])
})
