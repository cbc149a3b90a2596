// Owns what a worker tells its primary: the values of its registry, and which readiness checks failed.

/** A value with its labels. */
export interface ReportedValue {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  /** Of the parts of a histogram. */
  readonly metricName?: string
}

/** A metric, as `registry.getMetricsAsJSON()` of prom-client has it. */
export interface ReportedMetric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly aggregator: string
  readonly values: readonly ReportedValue[]
}

/** A report. */
export interface Report {
  /** Of the process within the cluster. */
  readonly worker: string
  readonly metrics: readonly ReportedMetric[]
  /** Names of readiness checks. */
  readonly failed: readonly string[]
}

const metricName = /^[a-zA-Z_:][\w:]{0,254}$/
const labelName = /^[a-zA-Z_]\w{0,254}$/
const types = ['counter', 'gauge', 'histogram', 'summary']
const aggregators = ['sum', 'first', 'omit', 'average', 'min', 'max']
const longestText = 2_048
// Whoever has more series than this in one process has lost the bound of a label.
const mostValues = 50_000

/** The report in something that any code of a worker may have sent; undefined if it is none. Never throws. */
export function openReport(value: unknown): Report | undefined {
  if (!isObject(value)) return undefined
  const { worker, metrics, failed } = value
  if (!isShort(worker) || !Array.isArray(metrics) || !Array.isArray(failed) || !failed.every(isShort)) return undefined
  const opened = metrics.map(openMetric)
  const isWhole = opened.every((metric) => metric !== undefined)
  if (!isWhole || opened.reduce((sum, { values }) => sum + values.length, 0) > mostValues) return undefined
  return { worker, metrics: opened, failed }
}

function openMetric(value: unknown): ReportedMetric | undefined {
  if (!isObject(value) || !Array.isArray(value['values'])) return undefined
  const { name, help, type, aggregator = 'sum', values } = value
  if (typeof name !== 'string' || !metricName.test(name) || !isShort(help)) return undefined
  if (!types.includes(type as string) || !aggregators.includes(aggregator as string)) return undefined
  const opened = (values as unknown[]).map(openValue)
  if (opened.includes(false)) return undefined
  return {
    name,
    help,
    type: type as ReportedMetric['type'],
    aggregator: aggregator as string,
    values: opened.filter((one) => typeof one === 'object'),
  }
}

/** Undefined for one that cannot be added up: NaN, which JSON makes null, and the quantiles of a summary. */
function openValue(value: unknown): ReportedValue | undefined | false {
  if (!isObject(value)) return false
  const { value: amount, labels = {}, metricName: part } = value
  if (!isObject(labels) || (part !== undefined && (typeof part !== 'string' || !metricName.test(part)))) return false
  if (amount !== null && typeof amount !== 'number') return false
  const isSound = Object.entries(labels).every(
    ([name, text]) => labelName.test(name) && (typeof text === 'number' || isShort(text)),
  )
  if (!isSound) return false
  if (amount === null || 'quantile' in labels) return undefined
  return {
    value: amount,
    labels: labels as Record<string, string | number>,
    ...(part === undefined ? {} : { metricName: part }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestText
}
