// Owns what it means to drive a block of the documentation.
import type { TestScope } from 'fastify-ah-test-support'

/** How a block, or several that are one example, are run, and what has to come of it. */
export interface Driver {
  readonly page: string
  /** A text by which the block is known on its page; one for each block. */
  readonly shows: string | readonly string[]
  /** Gets the code of its blocks. */
  readonly run: (scope: TestScope, ...code: string[]) => Promise<void>
}
