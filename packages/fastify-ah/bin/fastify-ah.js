#!/usr/bin/env node
// The command: all of it is in fastify-ah-cluster.
import { run } from 'fastify-ah-cluster/cli'

await run()
