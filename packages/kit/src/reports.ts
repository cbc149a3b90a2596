// How numbers go from the workers to the primary, and out of it: what two packages agree on that do not know each other.

/**
 * The way from a worker's plugin to its primary. A manager that wants reports leaves it on the app's root under
 * `Symbol.for('fastify-ah.reports')`.
 */
export interface ReportLine {
  /** The worker's number in the cluster: a replacement takes that of the one it replaces. */
  readonly worker: string
  /** Sends a report: what JSON can hold. Resolves when it has left, or nobody is there any more. Never rejects. */
  send(report: unknown): Promise<void>
  /** Has `listener` called when a report is wanted now. */
  onAsked(listener: () => void): void
}

/** What the primary knows of its cluster. Counts since its start. */
export interface ClusterFacts {
  readonly wanted: number
  readonly generation: number
  readonly isFlapping: boolean
  /** State → how many workers are in it. */
  readonly workers: Readonly<Record<string, number>>
  /** Processes that were started. */
  readonly starts: number
  /** Why they ended → how many. */
  readonly exits: Readonly<Record<string, number>>
  /** How a reload ended → how many. */
  readonly reloads: Readonly<Record<string, number>>
}

/** What an exporter works with. */
export interface ExporterSetup {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  readonly facts: () => ClusterFacts
  /** Asks all workers for a report; answers how many there are that could send one. */
  readonly ask: () => number
  readonly onError: (error: Error, what: string) => void
}

/** Adds up the reports of the workers and shows the sums. */
export interface Exporter {
  readonly port: number
  /** A report of the process with this boot id. Answers false if it is none. */
  heard(bootId: string, report: unknown): boolean
  /** The process has ended: what it counted stays. */
  left(bootId: string): void
  close(): Promise<void>
}

/** What `fastify-ah-metrics/primary` exports. */
export interface ExporterModule {
  /** Throws what keeps it from listening. */
  openExporter(setup: ExporterSetup): Promise<Exporter>
}
