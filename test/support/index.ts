// Owns what the test suites may use: everything that starts, breaks, watches and stops real things.
export type { CutAnswersOptions } from './answer-cutter.ts'
export { type DeployedNginx, type Deployment, startDeployedNginx } from './deployed-nginx.ts'
export { type HttpAnswer, type HttpGetOptions, type HttpTarget, httpGet } from './http-get.ts'
export { type Nginx, type NginxOptions, type NginxVars, startNginx } from './nginx.ts'
export { type NodeBinary, nodes } from './nodes.ts'
export type { Exit } from './os-process.ts'
export { freePort } from './port.ts'
export { isAlive, openDescriptors, processTree, rss } from './process-tree.ts'
export { type ProxyOptions, type ProxyTarget, startProxy, type TcpProxy } from './proxy.ts'
export {
  type ClusterClientOptions,
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from './redis-cluster.ts'
export type { RedisServerOptions } from './redis-config.ts'
export { type ClientOptions, type RedisServer, startRedis } from './redis-server.ts'
export { random, scaled, seed } from './scale.ts'
export { atEnd, type TestScope } from './scope.ts'
export { type RedisSentinel, type SentinelOptions, startSentinel } from './sentinel.ts'
export { shiftDate } from './shift-date.ts'
export { SLOTS, type SlotMove } from './slot-map.ts'
export { type FinishedNode, runNode, type SpawnedNode, type SpawnNodeOptions, spawnNode } from './spawned-node.ts'
export { type TempDir, tempDir } from './temp-dir.ts'
export { type Truthy, type UntilOptions, until } from './until.ts'
export { startWorkers, type Workers, type WorkersOptions } from './worker-cluster.ts'
