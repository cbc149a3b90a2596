// Reads task definitions from folders: every exported definition of every module in them.
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AH_TASKS_DEFINITION } from './errors.ts'
import type { TaskDefinition } from './types.ts'

/** A definition with the file that it stands in. */
export interface FoundTask {
  readonly file: string
  readonly definition: TaskDefinition<never, unknown>
}

const modules = /\.(?:[cm]?js|[cm]?ts)$/
const noModules = /\.d\.[cm]?ts$|\.(?:test|spec)\.[cm]?[jt]s$/

/** What the folders and those in them define, in the order of the files' names. */
export async function tasksInFolders(folders: string | readonly string[]): Promise<FoundTask[]> {
  const found: FoundTask[] = []
  for (const folder of [folders].flat()) {
    for (const file of await filesIn(resolve(folder))) found.push(...(await tasksIn(file)))
  }
  return found
}

async function filesIn(folder: string): Promise<string[]> {
  let entries: Awaited<ReturnType<typeof namesIn>>
  try {
    entries = await namesIn(folder)
  } catch (cause) {
    throw new AH_TASKS_DEFINITION(`the folder of tasks ${folder} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
  return entries
    .filter((entry) => entry.isFile() && modules.test(entry.name) && !noModules.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function namesIn(folder: string) {
  return readdir(folder, { withFileTypes: true, recursive: true })
}

async function tasksIn(file: string): Promise<FoundTask[]> {
  let module: Record<string, unknown>
  try {
    module = await import(pathToFileURL(file).href)
  } catch (cause) {
    throw new AH_TASKS_DEFINITION(`the tasks in ${file} cannot be loaded: ${(cause as Error).message}`, { cause })
  }
  // A default export that is exported by its name too is one definition; CommonJS has it behind `default`.
  const exported = new Set(Object.values(module))
  const definitions = [...exported].filter(looksLikeTask)
  if (definitions.length === 0) {
    throw new AH_TASKS_DEFINITION(`${file} exports no task: an object with a name and the function run`)
  }
  return definitions.map((definition) => ({ file, definition }))
}

function looksLikeTask(value: unknown): value is TaskDefinition<never, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('run' in value || 'thread' in value || 'frequencyMs' in value || 'cron' in value)
  )
}
