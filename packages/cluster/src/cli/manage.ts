// The commands that ask a running cluster: reload, stop, status, scale.
import { resolve } from 'node:path'
import type { OptionSchema } from 'fastify-ah-kit'
import { askPrimary } from '../control-client.ts'
import type { ControlOutcome, ControlProgress, ControlRequest } from '../control-protocol.ts'
import { AH_CLUSTER_NOT_RUNNING, AH_CLUSTER_USAGE } from '../errors.ts'
import { MANAGER_PROPERTIES } from '../options.ts'
import type { Command, Invocation } from './command.ts'
import { readConfigFile } from './config-file.ts'
import { readFlags, readVariables } from './flags.ts'
import { statusTable } from './status-table.ts'
import { configWish } from './wishes.ts'

const FAILED = 1
const USAGE = 2
const NOT_RUNNING = 3

/** Where the running cluster is found. */
const WHERE = { pids: MANAGER_PROPERTIES['pids']!, config: MANAGER_PROPERTIES['config']! }
const DEFAULTS = { pids: WHERE.pids.default }
const json: OptionSchema = { description: 'print JSON, for programs', type: 'boolean' }

/** `fastify-ah reload` */
export const reload: Command = {
  name: 'reload',
  help: {
    usage: 'fastify-ah reload [flags]',
    summary:
      'Replaces the workers of the running cluster one after the other, each once its successor serves, and waits\n' +
      'until the last old one has drained. If the new release does not start, the old workers stay: exit code 1.',
    properties: WHERE,
    examples: ['fastify-ah reload', 'fastify-ah reload --pids /run/shop'],
  },
  run: (invocation) =>
    ask(invocation, 'reload', WHERE, () => ({ verb: 'reload' }), {
      progress: (progress) => {
        if (!('reload' in progress)) return undefined
        const { generation, ready, wanted, draining } = progress.reload
        const rest = draining === 0 ? '' : `, ${draining} older draining`
        return `generation ${generation}: ${ready} of ${wanted} workers ready${rest}`
      },
      outcome: (outcome) => ('reloaded' in outcome ? `all workers run generation ${outcome.reloaded}` : undefined),
    }),
}

/** `fastify-ah stop` */
export const stop: Command = {
  name: 'stop',
  help: {
    usage: 'fastify-ah stop [flags]',
    summary: 'Drains and stops the running cluster, and waits for it. Exit code 1 if something had to be killed.',
    properties: WHERE,
    examples: ['fastify-ah stop'],
  },
  run: (invocation) =>
    ask(invocation, 'stop', WHERE, () => ({ verb: 'stop' }), {
      progress: (progress) => ('stopping' in progress ? `workers that drain: ${progress.stopping}` : undefined),
      outcome: (outcome) => {
        if (!('stopped' in outcome)) return undefined
        return outcome.stopped.isGraceful ? 'stopped' : { text: 'stopped; a worker had to be killed', code: 1 }
      },
    }),
}

/** `fastify-ah status` */
export const status: Command = {
  name: 'status',
  help: {
    usage: 'fastify-ah status [flags]',
    summary: 'Shows the running cluster and its workers.',
    properties: { ...WHERE, json },
    examples: ['fastify-ah status', 'fastify-ah status --json'],
  },
  run: (invocation) =>
    ask(invocation, 'status', { ...WHERE, json }, () => ({ verb: 'status' }), {
      progress: () => undefined,
      outcome: (outcome, values) => {
        if (!('status' in outcome)) return undefined
        return values['json'] === true ? JSON.stringify(outcome.status, null, 2) : statusTable(outcome.status)
      },
    }),
}

/** `fastify-ah scale` */
export const scale: Command = {
  name: 'scale',
  help: {
    usage: 'fastify-ah scale <n|+n|-n> [role] [flags]',
    summary: 'Sets or changes the number of workers, of the first role unless another is named.',
    properties: WHERE,
    examples: ['fastify-ah scale 4', 'fastify-ah scale +1', 'fastify-ah scale -1', 'fastify-ah scale 2 worker'],
  },
  run: (invocation) =>
    ask(invocation, 'scale', WHERE, scaleRequest, {
      progress: () => undefined,
      outcome: (outcome) =>
        'scaled' in outcome
          ? `workers wanted${outcome.scaled.role === undefined ? '' : ` of role ${outcome.scaled.role}`}: ${outcome.scaled.workers}`
          : undefined,
    }),
}

/** A text that comes with another exit code than 0. */
interface Ending {
  readonly text: string
  readonly code: number
}

/** What of the answer is printed; undefined: nothing, or not this command's. */
interface Printer {
  progress(progress: ControlProgress): string | undefined
  outcome(outcome: ControlOutcome, values: Readonly<Record<string, unknown>>): string | Ending | undefined
}

async function ask(
  { args, environment, print, warn }: Invocation,
  name: string,
  properties: Readonly<Record<string, OptionSchema>>,
  requestOf: (words: readonly string[]) => ControlRequest,
  printer: Printer,
): Promise<number | 'help'> {
  const command = `fastify-ah ${name}`
  // "-1" is a number here, no flag.
  const { values, positionals, wantsHelp } = readFlags(command, properties, args.map(hidden))
  if (wantsHelp) return 'help'
  const words = positionals.map(shown)
  if (name !== 'scale' && words.length > 0)
    throw new AH_CLUSTER_USAGE(`${command} takes no argument, got "${words[0]}"`)
  const request = requestOf(words)
  const variables = readVariables(command, WHERE, environment.flags).values
  const config = await readConfigFile(environment.root, configWish(values, variables, environment))
  const { pids } = { ...DEFAULTS, ...config?.values, ...variables, ...values }
  const folder = resolve(environment.root, String(pids))
  const isQuiet = values['json'] === true
  try {
    const outcome = await askPrimary(folder, request, (progress) => {
      const line = printer.progress(progress)
      if (line !== undefined && !isQuiet) print(line)
    })
    if ('error' in outcome) {
      warn(outcome.error.message)
      return outcome.error.code === 'AH_CLUSTER_USAGE' ? USAGE : FAILED
    }
    const ending = printer.outcome(outcome, values)
    const { text, code } = typeof ending === 'object' ? ending : { text: ending, code: 0 }
    if (text !== undefined) print(text)
    return code
  } catch (error) {
    if (!(error instanceof AH_CLUSTER_NOT_RUNNING)) throw error
    warn(error.message)
    return NOT_RUNNING
  }
}

function scaleRequest([amount, role, ...more]: readonly string[]): ControlRequest {
  if (amount === undefined || !/^[+-]?\d{1,4}$/.test(amount) || more.length > 0) {
    throw new AH_CLUSTER_USAGE('fastify-ah scale: expected a number of workers, or +n or -n, and at most a role')
  }
  const change = /^[+-]/.test(amount) ? { by: Number(amount) } : { to: Number(amount) }
  return { verb: 'scale', ...change, ...(role === undefined ? {} : { role }) }
}

const MINUS = 'minus '

function hidden(word: string): string {
  return /^-\d+$/.test(word) ? `${MINUS}${word.slice(1)}` : word
}

function shown(word: string): string {
  return word.startsWith(MINUS) ? `-${word.slice(MINUS.length)}` : word
}
