// Reads what is shown to Prometheus.
import { type HttpTarget, httpGet } from 'fastify-ah-test-support'

/** The values of a page by their series: `name{label="value"}`. */
export class Page {
  readonly text: string
  readonly #values = new Map<string, number>()

  constructor(text: string) {
    this.text = text
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const space = line.lastIndexOf(' ')
      const series = line.slice(0, space)
      if (this.#values.has(series)) throw new Error(`the series ${series} stands there twice`)
      this.#values.set(series, Number(line.slice(space + 1)))
    }
  }

  /** The names of all metrics that are described, in their order. */
  get names(): string[] {
    return [...this.text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!)
  }

  /** One series, without `fastify_ah_`; undefined if it is not there. */
  value(series: string): number | undefined {
    return this.#values.get(`fastify_ah_${series}`)
  }

  /** The sum of all series of a metric whose labels contain `labels`. */
  sum(name: string, ...labels: readonly string[]): number {
    let sum = 0
    for (const [series, value] of this.#values) {
      if (series.split('{')[0] !== `fastify_ah_${name}`) continue
      if (labels.every((label) => series.includes(label))) sum += value
    }
    return sum
  }

  /** How many series a metric has. */
  count(name: string): number {
    return [...this.#values.keys()].filter((series) => series.split('{')[0] === `fastify_ah_${name}`).length
  }
}

/** Scrapes a port, or a route of an app. */
export async function scrape(target: HttpTarget, path = '/metrics'): Promise<Page> {
  const { status, body, headers } = await httpGet(target, { path })
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`)
  if (!String(headers['content-type']).startsWith('text/plain; version=0.0.4')) throw new Error(JSON.stringify(headers))
  return new Page(body)
}
