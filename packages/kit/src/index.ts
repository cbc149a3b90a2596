// The kit without Redis: what three or more packages need.
export { type Around, type Carrier, carrierIn, Surroundings } from './carrier.ts'
export { addressesOf } from './client-address.ts'
export { type Environment, environment } from './environment.ts'
export {
  AH_KIT_BATCH_BROKEN,
  AH_KIT_BATCH_CLOSED,
  AH_KIT_DRAIN_TIMEOUT,
  AH_KIT_LOOP_STUCK,
  AH_KIT_OPTIONS,
  AH_KIT_UPGRADE_TAKEN,
  type CodedErrorConstructor,
  toError,
} from './errors.ts'
export { FilteredParams } from './filtered-params.ts'
export { type Identity, identity, instanceId, isInstanceOf } from './identity.ts'
export {
  type DrainResult,
  Lifecycle,
  lifecycleOf,
  type PeerDeath,
  type Readiness,
  type ReadinessCheck,
} from './lifecycle.ts'
export { Loop, type LoopOptions } from './loop.ts'
export { runningLoops, stalledAfterMs, type WatchedLoop } from './loops.ts'
export { nearest } from './nearest.ts'
export { type CheckedOptions, defineOptions } from './options.ts'
export {
  decoratorOptionSchema,
  type OptionSchema,
  type OptionsDefinition,
  type PassedByReference,
} from './options-definition.ts'
export { Origins, type OriginsOptions } from './origins.ts'
export type { ClusterFacts, Exporter, ExporterModule, ExporterSetup, ReportLine } from './reports.ts'
export { foundInApp, oncePerApp, rootOf } from './root.ts'
export { TickBatch, type TickBatchOptions } from './tick-batch.ts'
export { refuseUpgrade, type UpgradeHandler, Upgrades, upgradesOf } from './upgrades.ts'
export { longestTimerMs, within } from './within.ts'
