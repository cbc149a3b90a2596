// Owns what a module's text says about itself: what it imports, what it creates, which statements it consists of.
import { parseSync } from 'oxc-parser'

/** One mention of another module. */
export interface Import {
  /** Undefined: computed at run time. */
  readonly specifier: string | undefined
  /** `static` and `dynamic` are there at run time, `type` is erased. */
  readonly kind: 'static' | 'dynamic' | 'type'
}

/** What the checks need to know of a module. */
export interface ParsedModule {
  readonly imports: readonly Import[]
  /** How often it reads the environment of the process. */
  readonly environmentReads: number
  /** The `AH_…` codes that are the first argument of a call: those of the errors that it makes. */
  readonly createdCodes: readonly string[]
  /** The types of its top-level statements, `export … from` and lists of names told apart from declarations. */
  readonly statements: readonly string[]
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string }

const CODE = /^AH_[A-Z0-9]+(?:_[A-Z0-9]+)*$/

/** Parses TypeScript or JavaScript by its syntax, so that comments and strings cannot be mistaken for code. */
export function parseModule(path: string, text: string): ParsedModule {
  const { program, errors } = parseSync(path, text)
  if (errors[0] !== undefined) throw new Error(`${path} cannot be parsed: ${errors[0].message}`)
  const imports: Import[] = []
  const createdCodes: string[] = []
  let environmentReads = 0
  for (const node of nodesOf(program)) {
    const found = importOf(node)
    if (found !== undefined) imports.push(found)
    if (readsEnvironment(node)) environmentReads += 1
    if (node.type === 'CallExpression') {
      const code = literalOf((node['arguments'] as readonly unknown[])[0])
      if (code !== undefined && CODE.test(code)) createdCodes.push(code)
    }
  }
  return { imports, environmentReads, createdCodes, statements: program.body.map((node) => statementOf(asNode(node)!)) }
}

function importOf(node: Node): Import | undefined {
  const { source } = node
  const isType = node['importKind'] === 'type' || node['exportKind'] === 'type'
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      if (source === null) return undefined
      return { specifier: literalOf(source), kind: isType || hasOnlyTypes(node) ? 'type' : 'static' }
    }
    case 'ImportExpression':
      return { specifier: literalOf(source), kind: 'dynamic' }
    case 'TSImportType':
      return { specifier: literalOf(source), kind: 'type' }
    case 'TSExternalModuleReference':
      return { specifier: literalOf(node['expression']), kind: 'static' }
    case 'CallExpression': {
      const isRequire = asNode(node['callee'])?.['name'] === 'require'
      return isRequire ? { specifier: literalOf((node['arguments'] as unknown[])[0]), kind: 'dynamic' } : undefined
    }
    default:
      return undefined
  }
}

/** `import { type A, type B } from …`: nothing is left of it but the module's side effects. */
function hasOnlyTypes(node: Node): boolean {
  const specifiers = (node['specifiers'] ?? []) as readonly Node[]
  const isType = (specifier: Node) => specifier['importKind'] === 'type' || specifier['exportKind'] === 'type'
  return specifiers.length > 0 && specifiers.every(isType)
}

/** `process.env`, `process['env']`, `globalThis.process.env`, `{ env } = process`, `import { env } from 'node:process'`. */
function readsEnvironment(node: Node): boolean {
  const isProcess = (value: unknown): boolean => {
    const inner = asNode(value)
    return inner?.['name'] === 'process' || asNode(inner?.['property'])?.['name'] === 'process'
  }
  const isEnv = (value: unknown): boolean => asNode(value)?.['name'] === 'env' || literalOf(value) === 'env'
  if (node.type === 'MemberExpression') return isProcess(node['object']) && isEnv(node['property'])
  if (node.type === 'VariableDeclarator') {
    const properties = (asNode(node['id'])?.['properties'] ?? []) as readonly Node[]
    return isProcess(node['init']) && properties.some(({ key }) => isEnv(key))
  }
  if (node.type === 'ImportDeclaration' && /^(?:node:)?process$/.test(literalOf(node['source']) ?? '')) {
    return (node['specifiers'] as readonly Node[]).some(({ imported }) => isEnv(imported))
  }
  return false
}

function statementOf(node: Node): string {
  if (node.type === 'ExportNamedDeclaration') return node['declaration'] === null ? 'ExportList' : 'ExportDeclaration'
  if (node.type === 'ExportDefaultDeclaration') {
    return asNode(node['declaration'])?.type === 'Identifier' ? 'ExportList' : 'ExportDeclaration'
  }
  return node.type
}

/** The text of a string literal or of a template without anything to fill in. */
function literalOf(value: unknown): string | undefined {
  const node = asNode(value)
  if (node?.type === 'Literal' && typeof node['value'] === 'string') return node['value']
  if (node?.type !== 'TemplateLiteral' || (node['expressions'] as unknown[]).length > 0) return undefined
  const [quasi] = node['quasis'] as readonly { readonly value: { readonly cooked: string } }[]
  return quasi?.value.cooked
}

function* nodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodesOf(item)
    return
  }
  const node = asNode(value)
  if (node === undefined) return
  yield node
  for (const inner of Object.values(node)) if (typeof inner === 'object') yield* nodesOf(inner)
}

function asNode(value: unknown): Node | undefined {
  const isNode = typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
  return isNode ? (value as Node) : undefined
}
