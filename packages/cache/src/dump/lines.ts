// The lines of a file, without holding more than one of them.
import type { FileHandle } from 'node:fs/promises'

const newline = 10

/** Yields the lines from the file's beginning, without their ends; also the last one if it has no end. */
export async function* linesOf(file: FileHandle): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  // Positioned reads: the handle can be read again from its beginning.
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      yield Buffer.concat([...begun, chunk.subarray(start, end)])
      begun = []
      start = end + 1
    }
    if (start < chunk.length) begun.push(chunk.subarray(start))
  }
  if (begun.length > 0) yield Buffer.concat(begun)
}
