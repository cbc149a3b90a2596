// The command as `fastify-ah tasks` runs it, but ended by nobody: it has to close what it opened.
import process from 'node:process'
import { run } from 'fastify-ah-tasks/cli'

process.exitCode = await run(process.argv.slice(2))
