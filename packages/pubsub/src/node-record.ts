// What a node says of itself in Redis.
import { parseJson } from './json-text.ts'
import type { NodeInfo } from './types.ts'

/** The node in a record that anybody who reaches Redis may have written; undefined for what is none. */
export function readNode(text: string): NodeInfo | undefined {
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { id, title, host, pid, role, startedAt, handles } = value as Record<string, unknown>
  if (typeof id !== 'string' || typeof title !== 'string' || typeof host !== 'string') return undefined
  if (typeof pid !== 'number' || typeof startedAt !== 'number') return undefined
  const names = Array.isArray(handles) ? handles.filter((name) => typeof name === 'string') : []
  return { id, title, host, pid, role: typeof role === 'string' ? role : null, startedAt, handles: names }
}
