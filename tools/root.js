// Where the project lies, for tools that may be called from anywhere.
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
