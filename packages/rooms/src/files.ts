// Files that clients may ask for: those below the app's folders, and none beside them.
import { isUtf8 } from 'node:buffer'
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'
import { toError } from 'fastify-ah-kit'
import { AH_ROOMS_FILE, AH_ROOMS_OPTIONS } from './errors.ts'
import { mediaTypeOf } from './media-types.ts'

/** What it works with. */
export interface FilesOptions {
  readonly folders: readonly string[]
  /** Of a file; larger ones are for HTTP. */
  readonly maxBytes: number
  readonly log: FastifyBaseLogger
}

type Reply = Record<string, unknown>

const longestName = 1_024
// What stands for a folder.
const index = 'index.html'
// What the file system says where there is nothing for us; the last of a socket.
const absent = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ENXIO'])

/** A name is looked for in one folder after the other. */
export class Files {
  readonly #options: FilesOptions
  #roots: readonly string[] = []

  constructor(options: FilesOptions) {
    this.#options = options
  }

  /** Rejects with `AH_ROOMS_OPTIONS` if a folder is none. */
  async open(): Promise<void> {
    this.#roots = await Promise.all(this.#options.folders.map(rootAt))
  }

  /** The file as the members of a reply, with an `error` as ActionHero's where there is none. Never rejects. */
  async read(name: unknown): Promise<Reply> {
    try {
      const parts = partsOf(name)
      for (const root of parts === undefined ? [] : this.#roots) {
        const reply = await this.#readBelow(root, parts as readonly string[])
        if (reply !== undefined) return reply
      }
      return refusal(404, 'that file is not found')
    } catch (thrown) {
      this.#options.log.error({ err: toError(thrown) }, 'a file that a client asked for could not be read')
      return refusal(500, 'that file could not be read')
    }
  }

  async #readBelow(root: string, parts: readonly string[]): Promise<Reply | undefined> {
    const path = await found(join(root, ...parts))
    // A link may lead anywhere.
    if (path === undefined || !isServed(root, path)) return undefined
    // Opening a pipe would wait for somebody who writes; and what is a link by now was none when it was looked at.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
    const file = await orAbsent(open(path, flags))
    if (file === undefined) return undefined
    try {
      const about = await file.stat()
      if (about.isDirectory())
        return parts.at(-1) === index ? undefined : await this.#readBelow(root, [...parts, index])
      return about.isFile() ? await this.#replyOf(file, path, about) : undefined
    } finally {
      await file.close()
    }
  }

  async #replyOf(file: FileHandle, path: string, { size, mtime }: { size: number; mtime: Date }): Promise<Reply> {
    const { maxBytes } = this.#options
    if (size > maxBytes) return refusal(413, `that file has more than ${maxBytes} bytes: ask for it by HTTP`)
    // One that grows meanwhile is read up to here.
    const bytes = Buffer.allocUnsafeSlow(size)
    let length = 0
    while (length < size) {
      const { bytesRead } = await file.read(bytes, length, size - length, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    const content = bytes.subarray(0, length)
    const text = isUtf8(content)
      ? { content: content.toString() }
      : { content: content.toString('base64'), encoding: 'base64' }
    return { ...text, mime: mediaTypeOf(path), length, lastModified: mtime }
  }
}

/** Undefined for what is no name of a file: it goes up, or is hidden, or has no end. Nothing in it is decoded. */
function partsOf(name: unknown): readonly string[] | undefined {
  if (typeof name !== 'string' || name === '' || name.length > longestName || name.includes('\0')) return undefined
  const parts = name.split('/').filter((part) => part !== '')
  return isHidden(parts) ? undefined : parts
}

async function rootAt(folder: string): Promise<string> {
  const path = await found(resolve(folder))
  if (path !== undefined && (await stat(path)).isDirectory()) return path
  throw new AH_ROOMS_OPTIONS(`fastify-ah-rooms: option "files": ${JSON.stringify(resolve(folder))} is no folder`)
}

function isServed(root: string, path: string): boolean {
  const base = root.endsWith(sep) ? root : root + sep
  return path === root || (path.startsWith(base) && !isHidden(path.slice(base.length).split(sep)))
}

function isHidden(parts: readonly string[]): boolean {
  return parts.some((part) => part.startsWith('.'))
}

/** Where it really is. */
function found(path: string): Promise<string | undefined> {
  return orAbsent(realpath(path))
}

async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (thrown) {
    if (absent.has((thrown as NodeJS.ErrnoException).code ?? '')) return undefined
    throw thrown
  }
}

function refusal(statusCode: number, message: string): Reply {
  const { code } = new AH_ROOMS_FILE(message)
  return {
    status: `Error: ${message}`,
    error: message,
    code,
    statusCode,
    content: null,
    mime: 'text/html',
    length: message.length,
  }
}
