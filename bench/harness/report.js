// What a person reads of a run, and the line that is kept of it.
import { appendFile, mkdir } from 'node:fs/promises'

/** A duel in three lines, a count in two. */
export function printResult(result) {
  if (result.most === undefined) printDuel(result)
  else printCount(result)
}

function printCount({ name, unit, most, ours, peers, isReached }) {
  const others = Object.entries(peers).map(([peer, count]) => `   ${peer} ${short(count)}`)
  console.log(`\n  ${name}`)
  console.log(
    `    ours ${short(ours)}${others.join('')}   ${unit}; at most ${most}: ${isReached ? 'reached' : 'NOT REACHED'}`,
  )
}

function printDuel({ name, unit, target, pairs, ours, peer, ratio, interval, isReached }) {
  const verdict = isReached ? 'reached' : 'NOT REACHED'
  console.log(`\n  ${name}`)
  console.log(`    ours ${sideOf(ours)}   peer ${sideOf(peer)}   ${unit}, median (quartiles) of ${pairs} pairs`)
  console.log(
    `    ratio ${ratio.toFixed(2)} [${interval.map((end) => end.toFixed(2)).join(', ')}], target ${target}: ${verdict}`,
  )
}

/** Appends the run to `bench/results/<benchmark>.jsonl`. */
export async function keepRun(benchmark, machine, duels) {
  const folder = new URL('../results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const line = JSON.stringify({ date: new Date().toISOString(), machine, duels: duels.map(rounded) })
  await appendFile(new URL(`${benchmark}.jsonl`, folder), `${line}\n`)
}

/** Median and quartiles. */
export function sideOf({ median, spread }) {
  return `${short(median)} (${spread.map(short).join('–')})`
}

function short(number) {
  return Number(number.toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 3 }).replaceAll(',', ' ')
}

function rounded(duel) {
  return JSON.parse(
    JSON.stringify(duel, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value)),
  )
}
