// The package's exports: it adds nothing to Fastify's types.
export { AH_METRICS_OPTIONS, AH_METRICS_PORT, AH_METRICS_TAKEN } from './errors.ts'
export { type MetricsOptions, options, type ParsedMetricsOptions } from './options.ts'
export { default, fastifyAhMetrics, fastifyAhMetrics as 'module.exports' } from './plugin.ts'
export { requestId } from './request-id.ts'
