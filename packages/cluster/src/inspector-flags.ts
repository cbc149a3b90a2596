// How the workers' inspectors are asked for: one port for each, the primary's own left out.

/** Node's own default, where a debugger looks first. */
const FIRST_PORT = 9229
const OWN = /^--inspect(-brk|-wait|-port|-publish-uid)?(=|$)/
const MODULE = new URL('./worker-inspector.js', import.meta.url)

/** The port of the worker `id`: the base, which stays the primary's, plus its number. Undefined: no inspector. */
export function inspectorPort(inspect: boolean | number | undefined, id: number): number | undefined {
  if (inspect === undefined || inspect === false) return undefined
  return (inspect === true ? FIRST_PORT : inspect) + id
}

/** Flags of Node for a worker that is to be inspected on `port`. */
export function inspectorFlags(port: number): string[] {
  const url = new URL(MODULE)
  url.searchParams.set('port', String(port))
  return ['--import', url.href]
}

/** A primary that is inspected keeps its port for itself: on the same one no worker's inspector would start. */
export function withoutInspector(flags: readonly string[]): string[] {
  return flags.filter((flag) => !OWN.test(flag))
}
