// Watches the files of a project, for development: says which have changed, a moment after the last of them did.
import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { toError } from 'fastify-ah-kit'

/** What is watched, and who hears of it. */
export interface FileWatchOptions {
  /** Files and folders besides {@link IGNORED} that do not count, by their absolute paths. */
  readonly ignored: readonly string[]
  /** Paths of what was changed, added or removed. */
  readonly onChange: (paths: readonly string[]) => void
  /** A folder cannot be watched; the others are. */
  readonly onError: (error: Error) => void
}

/** Folders that hold no code of the app, or what it writes itself. Those that begin with a dot count to them. */
const IGNORED: ReadonlySet<string> = new Set(['node_modules', 'log', 'logs', 'pids', 'tmp', 'coverage'])
// An editor writes a file in several steps, a compiler many files.
const QUIET_MS = 100

/**
 * One watcher a folder: Node's own recursive ones would watch node_modules too. Symlinks are not followed. Changes of a
 * folder's rights or times alone do not count.
 */
export class FileWatch {
  readonly #options: FileWatchOptions
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #changed = new Set<string>()
  /** Modification times in ms of what was seen changed. */
  readonly #times = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(root: string, options: FileWatchOptions) {
    this.#options = options
    this.#add(root)
    // What is already there is no change.
    this.#changed.clear()
  }

  /** Twice is fine. */
  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  /** Watches the folder and what lies in it. All of that is new. */
  #add(folder: string): void {
    if (this.#watchers.has(folder)) return
    try {
      // First the watcher: what is added while the folder is read is seen twice rather than never.
      const watcher = watch(folder, (event, name) => this.#seen(folder, name, event === 'rename'))
      watcher.once('error', (error) => this.#lost(folder, error))
      this.#watchers.set(folder, watcher)
      for (const entry of readdirSync(folder, { withFileTypes: true })) this.#enter(folder, entry)
    } catch (thrown) {
      this.#lost(folder, toError(thrown))
    }
  }

  #enter(folder: string, entry: Dirent): void {
    const path = join(folder, entry.name)
    if (this.#isIgnored(path, entry.name)) return
    if (entry.isDirectory()) this.#add(path)
    else if (entry.isFile()) this.#note(path)
  }

  /** `name` is null where the system does not say which it was. */
  #seen(folder: string, name: string | null, hasMoved: boolean): void {
    const path = name === null ? folder : join(folder, name)
    if (name !== null && this.#isIgnored(path, name)) return
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats?.isDirectory() === true) {
      // Removed and made again it is another one, whose watcher would hear nothing any more.
      if (hasMoved && path !== folder) this.#forget(path)
      this.#add(path)
      return
    }
    if (stats === undefined) this.#forget(path)
    // Reading a file, or changing its rights, is told as a change as well.
    else if (this.#times.get(path) === stats.mtimeMs) return
    this.#note(path)
  }

  #note(path: string): void {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) this.#times.delete(path)
    else this.#times.set(path, stats.mtimeMs)
    this.#changed.add(path)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#tell(), QUIET_MS).unref()
  }

  #tell(): void {
    const paths = [...this.#changed].sort()
    this.#changed.clear()
    if (paths.length > 0) this.#options.onChange(paths)
  }

  /** A folder that is gone takes its watchers with it: one of the same name would not be seen. */
  #forget(path: string): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folder !== path && !folder.startsWith(`${path}/`)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
  }

  #lost(folder: string, error: Error): void {
    this.#forget(folder)
    // It was removed in this moment: its parent's watcher tells.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && this.#watchers.has(dirname(folder))) return
    this.#options.onError(error)
  }

  #isIgnored(path: string, name: string): boolean {
    // Backups of editors: "app.js~".
    return name.startsWith('.') || name.endsWith('~') || IGNORED.has(name) || this.#options.ignored.includes(path)
  }
}
