// A plugin's way to Redis: every command with a deadline, a coded error, and a second try where that cannot harm.
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { Call, type CallContext, type Sendable } from './call.ts'
import { ClientCare } from './client-care.ts'
import { closeClient } from './close-client.ts'
import type { Command, RedisArgument, ScriptCommand } from './command.ts'
import { DedicatedConnection, type DedicatedOptions } from './dedicated.ts'
import { watchHandshakes } from './handshake.ts'
import { mastersOf, whyUnfit } from './liveness.ts'
import { masterClientOf, masterOf } from './master-of.ts'
import { askMaxmemoryPolicy } from './maxmemory-policy.ts'
import { OpenCalls } from './open-calls.ts'
import { requestDeadlineMs } from './open-client.ts'
import { runPipelines } from './pipeline.ts'
import type { Script } from './script.ts'
import { ScriptCall, ScriptKnowledge } from './script-call.ts'
import { masterTarget, type RedisClient, type Target } from './target.ts'

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly target: Target
  readonly log: FastifyBaseLogger
  /** How long a command may take, in ms; default 5000. */
  readonly deadlineMs?: number
}

/** How an answer is read. */
export interface AnswerOptions {
  /** Texts come as bytes. Default false. */
  readonly buffers?: boolean
}

/**
 * The request-path connection to one Redis, shared by all plugins of an app that mean the same one.
 *
 * Everything that goes through `read`, `write`, `run` and `pipeline` may reach Redis twice (after a cut it is sent
 * again), so it must be harmless then; what is not goes through a {@link RepeatGuard}.
 */
export class RedisConnection {
  readonly target: Target
  readonly client: RedisClient
  readonly isCluster: boolean
  /** Names of the commands and scripts sent so far: what a fault test walks through. */
  readonly sent = new Set<string>()
  /** The open connections that {@link dedicated} made. */
  readonly dedicatedConnections = new Set<DedicatedConnection>()
  readonly #log: FastifyBaseLogger
  readonly #context: CallContext
  readonly #open = new OpenCalls()
  readonly #scripts = new ScriptKnowledge()
  readonly #care: ClientCare
  readonly #endWatch: () => void
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor({ target, log, deadlineMs = requestDeadlineMs }: ConnectionOptions) {
    this.target = target
    this.#log = log
    this.client = target.open('request')
    this.isCluster = this.client.isCluster
    this.#care = new ClientCare(this.client, target.label, log)
    this.#context = {
      client: this.client,
      deadlineMs,
      open: this.#open,
      isOver: () => this.#isClosed || this.client.status === 'end',
      onSilence: () => void this.#care.renewSilent(),
      onDemoted: () => this.#care.leaveDemoted(),
    }
    this.client.on('ready', this.#onReady)
    this.client.on('end', this.#resume)
    this.client.on('error', this.#care.noteError)
    this.#endWatch = watchHandshakes(this.client)
  }

  /** A command that changes nothing. */
  read<T>(command: string, args: readonly RedisArgument[], { buffers = false }: AnswerOptions = {}): Promise<T> {
    return this.#command(command, args, { isWrite: false, buffers })
  }

  /** A command that may be applied twice without harm. */
  write<T>(command: string, args: readonly RedisArgument[]): Promise<T> {
    return this.#command(command, args, { isWrite: true, buffers: false })
  }

  /** A script, by its SHA where the server knows it. */
  run<T>(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
    { buffers = false }: AnswerOptions = {},
  ): Promise<T> {
    this.sent.add(script.name)
    return this.call(new ScriptCall<T>(script, this.#scripts, { keys, args, buffers }))
  }

  /**
   * Commands in one go (on Cluster one go per master); never rejects: answers or coded Errors in the order of the
   * commands, so that what fails on one master does not take the answers of another with it.
   */
  pipeline(
    commands: readonly (Command | ScriptCommand)[],
    { isWrite = true }: { readonly isWrite?: boolean } = {},
  ): Promise<(unknown | Error)[]> {
    for (const what of commands) this.sent.add('script' in what ? what.script.name : what.command)
    const { client, deadlineMs } = this.#context
    const call = <T>(what: Sendable<T>): Promise<T> => this.call(what)
    return runPipelines({ client, deadlineMs, isWrite, scripts: this.#scripts, call }, commands)
  }

  /** Which master a key's commands go to just now, for those who batch by it; one name for all off Cluster. */
  masterOf(key: string): string {
    return masterOf(this.client, key)
  }

  /** The one of {@link masters} that holds a key just now; undefined while there is no connection to it. */
  masterClientOf(key: string): Redis | undefined {
    return masterClientOf(this.client, key)
  }

  /** Anything else that a client can send, with the same deadline and errors. */
  call<T>(what: Sendable<T>): Promise<T> {
    return Call.make(this.#context, what)
  }

  /** All masters: one on a single server. */
  masters(): readonly Redis[] {
    return mastersOf(this.client)
  }

  /**
   * A connection of the caller's own, to the same Redis; with `master`, one of {@link masters}, to that server. Closed
   * with this one at the latest.
   */
  dedicated(
    role: DedicatedOptions['role'],
    onClient?: (client: RedisClient) => void,
    master?: Redis,
  ): DedicatedConnection {
    const made: DedicatedConnection = new DedicatedConnection({
      target: master === undefined ? this.target : masterTarget(master),
      role,
      log: this.#log,
      onClose: () => this.dedicatedConnections.delete(made),
      ...(onClient === undefined ? {} : { onClient }),
    })
    this.dedicatedConnections.add(made)
    return made
  }

  /** Whether every master answers within a second: the readiness check. A reason in words if not. */
  async isAnswering(): Promise<true | string> {
    const reason = await whyUnfit(this.client)
    return reason === undefined ? true : `Redis ${this.target.label} ${reason}`
  }

  /**
   * What Redis does when its memory is full, for those whose keys must not vanish: the `maxmemory-policy` of the first
   * master that evicts, else `noeviction`; undefined where the user may not ask.
   */
  maxmemoryPolicy(): Promise<string | undefined> {
    this.sent.add('info')
    return askMaxmemoryPolicy(this.masters(), (what) => this.call(what))
  }

  /** Lets go of the client; closes it if it is ours. Ends in time with Redis gone. Twice is fine. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // What waits for Redis learns now that it waits in vain; what is out may still be answered.
    this.#resume()
    const { client, target } = this
    await Promise.all([
      ...[...this.dedicatedConnections].map((dedicated) => dedicated.close()),
      target.isOwned ? closeClient(client, this.#log) : undefined,
    ])
    client.off('ready', this.#onReady)
    client.off('end', this.#resume)
    this.#endWatch()
    if (target.isOwned) this.#open.end()
    // On our own client the listener stays: it may still report something, and nobody else listens.
    else client.off('error', this.#care.noteError)
  }

  #command<T>(
    command: string,
    args: readonly RedisArgument[],
    { isWrite, buffers }: { readonly isWrite: boolean; readonly buffers: boolean },
  ): Promise<T> {
    this.sent.add(command)
    const list = args as RedisArgument[]
    return this.call({
      name: command,
      isWrite,
      send: (client) => (buffers ? client.callBuffer(command, list) : client.call(command, list)) as Promise<T>,
    })
  }

  readonly #onReady = (): void => {
    this.#scripts.forget()
    this.#care.noteReady()
    this.#resume()
  }

  // Also when the client gave up for good: calls learn it now instead of at their deadline.
  readonly #resume = (): void => this.#open.resume()
}
