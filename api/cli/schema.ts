import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { printSchema } from 'graphql'
import { schema } from '../schema.ts'
import { command, UsageError } from './command.ts'
import { note, result } from './terminal.ts'

const options = {
  write: { is: 'write it to schema/schema.graphql' },
  check: { is: 'compare it with schema/schema.graphql; exit code 1 on a difference' },
} as const

const file = join(import.meta.dirname, '../../schema/schema.graphql')

/** Prints the SDL of the public API. */
export default command(options, async ({ write, check }) => {
  if (write && check) throw new UsageError('Give either --write or --check.')
  const sdl = `${printSchema(schema)}\n`
  if (write) {
    await writeFile(file, sdl)
    note('schema/schema.graphql is written.')
    return 0
  }
  if (!check) {
    result(sdl.trimEnd())
    return 0
  }
  const committed = await readFile(file, 'utf8').catch(() => '')
  if (committed === sdl) {
    note('schema/schema.graphql is up to date.')
    return 0
  }
  const [line, is] = firstDifference(committed, sdl)
  note(
    `schema/schema.graphql differs from the code at line ${line}, which should be: ${is}\nRun "npm run schema", and say in CHANGELOG.md what changes for clients.`,
  )
  return 1
})

function firstDifference(committed: string, printed: string): readonly [number, string] {
  const lines = committed.split('\n')
  const wanted = printed.split('\n')
  const at = wanted.findIndex((text, i) => text !== lines[i])
  return at === -1 ? [wanted.length, '(nothing more)'] : [at + 1, wanted[at] ?? '']
}
