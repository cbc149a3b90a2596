// The right of one run to produce a value, as Redis keeps it.
import { Loop } from 'fastify-ah-kit'
import { ownWrite } from '../local-tier.ts'
import type { Scope } from '../scope.ts'
import { claimProduce } from '../scripts/claim-produce.ts'
import { failProduce } from '../scripts/fail-produce.ts'
import { renewProduce } from '../scripts/renew-produce.ts'
import { settleProduce } from '../scripts/settle-produce.ts'

/** What a claim is told; see the script. */
export type Claim =
  | ['claimed' | 'locked' | 'fresh']
  | ['busy', run: string]
  | ['failed', error: string]
  | ['found', bytes: string, sha: string, left: number]

/** What the claimer knows. */
export interface ClaimInput {
  readonly below?: number | undefined
  readonly seen?: string
  readonly waited?: string
}

/** Why a value was stored or not; see the script. */
export type Settled = 0 | 1 | 2 | 3

/** One run's claims on the value of `name`. */
export class Lease {
  readonly #scope: Scope
  readonly #name: string
  readonly #run: string
  readonly #renewal: Loop
  #isNew = true

  constructor(scope: Scope, name: string) {
    this.#scope = scope
    this.#name = name
    this.#run = `${scope.origin}:${scope.nextCall()}`
    this.#renewal = new Loop({
      name: `produce ${name}`,
      step: () => this.#renew(),
      // It is tried again; if the lease ends meanwhile, another run begins and this one's value is not stored.
      onError: () => undefined,
      maxBackoffMs: scope.leaseMs / 3,
    })
  }

  claim({ below, seen = '', waited = '' }: ClaimInput): Promise<Claim> {
    const { traffic, owner, leaseMs } = this.#scope
    return traffic.run<Claim>(claimProduce, this.#keys(), [this.#run, owner, leaseMs, below ?? '', seen, waited])
  }

  /** Has the claim live on until it is settled or failed. */
  keep(): void {
    this.#renewal.start()
  }

  async settle(bytes: string, ttl: number | undefined): Promise<Settled> {
    const { traffic, keys, local, owner } = this.#scope
    await this.#renewal.stop()
    const args = [this.#run, owner, bytes, ...(ttl === undefined ? [] : [ttl])]
    return ownWrite(local, [keys.value(this.#name)], () => traffic.run<Settled>(settleProduce, this.#keys(), args))
  }

  async fail(error: string): Promise<void> {
    await this.#renewal.stop()
    await this.#scope.traffic.run(failProduce, [this.#scope.keys.produce(this.#name)], [this.#run, error])
  }

  async #renew(): Promise<number> {
    const { traffic, keys, leaseMs } = this.#scope
    if (this.#isNew) {
      this.#isNew = false
      return leaseMs / 3
    }
    const answer = await traffic.run<number>(renewProduce, [keys.produce(this.#name)], [this.#run, leaseMs])
    return answer === 1 ? leaseMs / 3 : Number.POSITIVE_INFINITY
  }

  #keys(): string[] {
    const { keys } = this.#scope
    return [keys.value(this.#name), keys.lock(this.#name), keys.produce(this.#name)]
  }
}
