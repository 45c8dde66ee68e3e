import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, findBreakingChanges, type GraphQLSchema, printSchema } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../api/schema.ts'

const root = join(import.meta.dirname, '../..')
const committed = readFileSync(join(root, 'schema/schema.graphql'), 'utf8')

const log = join(root, 'CHANGELOG.md')
const changeLog = existsSync(log) ? readFileSync(log, 'utf8') : ''

test('the committed schema is the one that the code builds', () => {
  // `npm run schema` writes it.
  expect(committed).toBe(`${printSchema(schema)}\n`)
})

test('a breaking change has a line in the change log', () => {
  const before = released()
  const changes = before ? undeclared(buildSchema(before), schema, changeLog) : []
  expect(changes).toEqual([])
})

test('a breaking change without its line would be noticed', () => {
  const before = buildSchema('type Query { a: Int b: Int c: Int }')
  const after = buildSchema('type Query { a: String c: Int }')
  const entry = (line: string) =>
    `# Change log\n\n## Unreleased\n\n${line}\n\n## 0.1.0\n\n- Breaking: an old one.\n`

  expect(undeclared(before, after, entry('- Faster.'))).toEqual([
    'Query.b was removed.',
    'Query.a changed type from Int to String.',
  ])
  expect(undeclared(before, after, entry('- Breaking: `a` is text, and `b` is gone.'))).toEqual([])
  expect(undeclared(before, before, entry('- Faster.'))).toEqual([])
})

/** Breaking changes, unless the newest section of the change log declares some. */
function undeclared(before: GraphQLSchema, after: GraphQLSchema, changeLog: string): string[] {
  const newest = /^## .*\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(changeLog)?.[1] ?? ''
  if (/^[-*] .*\bBreaking\b/m.test(newest)) return []
  return findBreakingChanges(before, after).map(({ description }) => description)
}

/** The schema of the last commit; undefined where there is no history, as in a packed copy. */
function released(): string | undefined {
  try {
    return execFileSync('git', ['show', 'HEAD:schema/schema.graphql'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  }
}
