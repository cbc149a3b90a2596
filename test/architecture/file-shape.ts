// Owns what one file may look like: size, name, first line, and what an index may hold.
import type { SourceFile } from './project.ts'

const MAX_LINES = 250
const SHAPELESS = /(?:^|[/.-])(?:utils?|helpers?|common|lib|misc)(?=[/.-]|$)/
/** All that an index may consist of. */
const INDEX_STATEMENTS = ['ImportDeclaration', 'ExportList', 'ExportAllDeclaration', 'TSModuleDeclaration']

/** Every way in which a file is not shaped as it should. */
export function shapeViolations(sources: readonly SourceFile[]): string[] {
  return sources.flatMap((file) => [...tooLong(file), ...shapelessName(file), ...withoutComment(file)])
}

/** Every statement of an `index.ts` of a package that is neither an export nor the augmentation of a module. */
export function indexViolations(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path }) => /^packages\/.*\/index\.ts$/.test(path) && !path.includes('/cli/'))
    .flatMap(({ path, module }) =>
      module.statements
        .filter((statement) => !INDEX_STATEMENTS.includes(statement))
        .map((statement) => `${path} holds a ${statement}: only exports and the augmentation belong there`),
    )
}

function tooLong({ path, text }: SourceFile): string[] {
  const lines = text.trimEnd().split('\n').length
  return lines > MAX_LINES ? [`${path} has ${lines} lines, more than ${MAX_LINES}`] : []
}

function shapelessName({ path }: SourceFile): string[] {
  return SHAPELESS.test(path) ? [`${path}: a file is named after the noun it owns`] : []
}

function withoutComment({ path, text }: SourceFile): string[] {
  const lines = text.split('\n')
  const first = lines[0]?.startsWith('#!') ? lines[1] : lines[0]
  return /^\/\/ \S|^\/\*\*? ?\S?/.test(first ?? '') ? [] : [`${path}: the first line has to say what the file owns`]
}
