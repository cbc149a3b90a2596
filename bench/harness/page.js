// docs/benchmarks.md and the table in the project's README, from the newest result of everything that was ever measured.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { sideOf } from './report.js'

const root = new URL('../../', import.meta.url)
const results = new URL('../results/', import.meta.url)
const { devDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
/** Packages that we measure ourselves against. */
const peers = Object.keys(devDependencies).filter((name) => !name.startsWith('fastify-ah') && name !== 'fastify')

/** What the README shows: of each kind of work the comparison that most people look for. */
const headlines = [
  ['cache', 'save, 200 B, against ioredis, by hand, 64 callers'],
  ['cache', 'get, 200 B, against ioredis, by hand, 64 callers'],
  ['cache', "load, 200 B, against ActionHero's three round trips, 64 callers"],
  ['cache', 'get from memory, against bentocache (memory, Redis, bus), 64 callers'],
  ['tasks', 'no-op jobs, 100 at a time, against bullmq'],
  ['tasks', 'no-op jobs, 100 at a time, against bee-queue'],
  ['tasks', 'no-op jobs, 10 at a time, against bee-queue'],
  ['tasks', 'no-op jobs, 1 at a time, against bee-queue'],
  ['pubsub', 'burst, against ioredis with auto-pipelining, by hand'],
  ['pubsub', 'burst, against faye'],
  ['rooms', 'burst, 1000 members, against socket.io with Redis'],
  ['rooms', 'lone messages, 1000 members, against socket.io with Redis'],
  ['rooms', 'resident memory for each of 10 000 connections in no room'],
  ['cluster', 'hello world, 64 connections, keep-alive, against pm2 7'],
  ['cluster', 'hello world, 64 connections, close per request, against pm2 7'],
  ['cluster', 'reload of 2 workers under 64 keep-alive connections, against pm2 7'],
  ['cluster', 'requests lost in these 32 reloads'],
]

/** Writes both. */
export function writePages() {
  const measured = new Map(readdirSync(results).map((file) => [file.replace('.jsonl', ''), newestOf(file)]))
  writeFileSync(new URL('docs/benchmarks.md', root), page(measured))
  const readme = new URL('README.md', root)
  const text = readFileSync(readme, 'utf8')
  const shown = headlines.flatMap(([benchmark, name]) => {
    const all = [...(measured.get(benchmark)?.values() ?? [])]
    return all
      .filter((result) => (typeof name === 'string' ? result.name === name : name.test(result.name)))
      .slice(0, 1)
  })
  const facts = `${machinesOf(shown)}; ${shown
    .map(({ date }) => date)
    .sort()
    .at(-1)}. Against ${versions()}.\n`
  const speed = `${table(shown, ['what', 'ours', 'peer', 'unit', 'ratio'])}\n${facts}`
  writeFileSync(readme, text.replace(/(<!-- speed -->\n).*?(<!-- \/speed -->)/s, `$1${speed}$2`))
}

/** Name → the newest result of that name, with the date and the machine of its run. */
function newestOf(file) {
  const newest = new Map()
  for (const line of readFileSync(new URL(file, results), 'utf8').trim().split('\n')) {
    const { date, machine, duels } = JSON.parse(line)
    for (const result of duels) newest.set(result.name, { ...result, date: date.slice(0, 10), machine })
  }
  return newest
}

function page(measured) {
  const sections = [...measured].map(([benchmark, newest]) => `## ${benchmark}\n\n${table([...newest.values()])}`)
  return `# Benchmarks

Written by \`npm run bench\`, which runs ours and the peer in turns, in one run, on one machine: the ratio is what counts, not
the numbers beside it. \`npm run bench tasks\` measures one, \`--only=<text>\` a part; each row is the newest measurement of its
name. A ratio above 1 is in our favour whatever the unit; in brackets the interval in which its median lies with 95 %
probability. A target is reached when the ratio reaches it and the interval ends no lower than 0.9 of it.

Measured on: ${machinesOf([...measured.values()].flatMap((newest) => [...newest.values()]))}.
Against: ${versions()}.

${sections.join('\n')}`
}

function table(all, columns = ['what', 'ours', 'peer', 'unit', 'ratio', 'target', 'date']) {
  const row = (cells) => `| ${columns.map((column) => cells[column]).join(' | ')} |\n`
  return `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}\n${all.map((result) => row(cellsOf(result))).join('')}`
}

function cellsOf({ name, unit, date, target, most, ours, peer, peers: counts, ratio, interval, isReached }) {
  const verdict = isReached ? '' : ', **not reached**'
  if (most !== undefined) {
    const others = Object.entries(counts).map(([who, count]) => `${who} ${count}`)
    return { what: name, ours, peer: others.join(', '), unit, ratio: '', target: `at most ${most}${verdict}`, date }
  }
  const [from, to] = interval.map((end) => end.toFixed(2))
  return {
    what: name,
    ours: sideOf(ours),
    peer: sideOf(peer),
    unit,
    ratio: `${ratio.toFixed(2)} [${from}, ${to}]`,
    target: `${Number(target.toFixed(2))}${verdict}`,
    date,
  }
}

function machinesOf(all) {
  return [...new Set(all.map(({ machine }) => words(machine)))].join('; ')
}

function versions() {
  return peers.map((name) => `${name} ${versionOf(name)}`).join(', ')
}

function words({ cpu, cores, node, redis, kernel }) {
  return `${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}, Redis ${redis}`
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version
}
