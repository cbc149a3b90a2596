// Owns the places that may read the environment of the process: one for each program.
import type { SourceFile } from './project.ts'

/** File → why it may. */
export const environmentPlaces: Readonly<Record<string, string>> = {
  'packages/kit/src/environment.ts': 'what the plugins take from it',
  'packages/cache/src/cli/environment.ts': 'what the command fastify-ah cache takes from it',
  'packages/tasks/src/environment.ts': 'what the tasks take from it, as ActionHero',
  'packages/tasks/src/cli/environment.ts': 'what the command fastify-ah tasks takes from it, and hands to an app',
  'packages/cluster/src/start-cluster.ts': "what a program of one's own starts its workers with",
  'packages/cluster/src/cli/environment.ts': 'what the command takes from it, and hands to workers',
}

/** Every file of a package that reads the environment without being such a place. */
export function environmentViolations(
  sources: readonly SourceFile[],
  places: Readonly<Record<string, string>> = environmentPlaces,
): string[] {
  return sources
    .filter(({ path, module }) => module.environmentReads > 0 && places[path] === undefined)
    .map(({ path }) => `${path} reads process.env; only these do: ${Object.keys(places).join(', ')}`)
}
