// One benchmark's run: starts what it needs, measures its duels pair by pair, and stops everything in reverse.
import { startContender } from './contender.js'
import { startPm2 } from './pm2.js'
import { startServer } from './server.js'
import { median, medianInterval, quartiles } from './statistics.js'

/** Between these targets the pairs must be many: a small difference is easily noise. Many short ones beat few long ones. */
const CLOSE_RACE = [0.9, 1.3]
const MANY_PAIRS = 31
/** For targets below. */
const SOME_PAIRS = 15
/** For targets above. */
const FEW_PAIRS = 11
/** The interval of the ratio may reach below the target, but not further than this share of it. */
const TOLERANCE = 0.9

export class Session {
  results = []
  #disposers = []
  #print
  #pairs
  #only

  /**
   * `print` gets each result; `pairs` is for trying a benchmark out, otherwise the target says how many; `only` is what
   * the names of all that is measured have in them.
   */
  constructor(print, { pairs, only = '' } = {}) {
    this.#print = print
    this.#pairs = pairs
    this.#only = only
  }

  /** The shape that the test support's resources take as their scope. */
  after(dispose) {
    this.#disposers.push(dispose)
  }

  async contender(file, env) {
    return this.#owned(await startContender(file, env))
  }

  async server(name, args, env = {}) {
    return this.#owned(await startServer(name, args, env))
  }

  async pm2(file, instances) {
    return this.#owned(await startPm2(file, instances))
  }

  /** Whether something of that name is to be measured: what takes long to prepare asks first. */
  wants(name) {
    return name.includes(this.#only)
  }

  /** Notes a count of ours that must not be above `most`, beside the peers' that have no say in it. */
  count({ name, unit, most, ours, peers }) {
    if (!this.wants(name)) return
    const result = { name, unit, most, ours, peers, isReached: ours <= most }
    this.results.push(result)
    this.#print(result)
  }

  /**
   * Measures ours and the peer in turns. `ours` and `peer` answer one number each; `better` says which way is good.
   * The ratio is made so that more is better in both cases, and must reach `target`.
   */
  async duel({ name, unit, better = 'more', target, ours, peer }) {
    if (!this.wants(name)) return
    await ours()
    await peer()
    const pairs = this.#pairs ?? pairsFor(target)
    const measured = { ours: [], peer: [], ratios: [] }
    for (let pair = 0; pair < pairs; pair += 1) {
      const our = await ours()
      const their = await peer()
      measured.ours.push(our)
      measured.peer.push(their)
      measured.ratios.push(better === 'more' ? our / their : their / our)
    }
    const ratio = median(measured.ratios)
    const interval = medianInterval(measured.ratios)
    const isReached = ratio >= target && interval[0] >= target * TOLERANCE
    const result = {
      name,
      unit,
      better,
      target,
      pairs,
      ours: { median: median(measured.ours), spread: quartiles(measured.ours) },
      peer: { median: median(measured.peer), spread: quartiles(measured.peer) },
      ratio,
      interval,
      isReached,
    }
    this.results.push(result)
    this.#print(result)
  }

  async close() {
    for (const dispose of this.#disposers.splice(0).reverse()) await dispose()
  }

  #owned(resource) {
    this.#disposers.push(() => resource.close())
    return resource
  }
}

function pairsFor(target) {
  const [from, to] = CLOSE_RACE
  if (target < from) return SOME_PAIRS
  return target < to ? MANY_PAIRS : FEW_PAIRS
}
