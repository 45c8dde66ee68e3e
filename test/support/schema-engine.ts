import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { SchemaEngine } from '@prisma/schema-engine-wasm'
import { catalogueAdapter } from './catalogue-adapter.ts'

const folder = join(import.meta.dirname, '../../schema')

/** The files of Prisma's schema. */
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.prisma'))
  .map((name) => ({ path: name, content: readFileSync(join(folder, name), 'utf8') }))

/**
 * The SQL statements that Prisma would run to turn this database into what its schema says, each on
 * one line. None when the two agree, as far as Prisma can see.
 */
export async function drift(url: string): Promise<string[]> {
  const models = files.map(({ path, content }): [string, string] => [path, content])
  const adapter = bindMigrationAwareSqlAdapterFactory(catalogueAdapter(url))
  const engine = await SchemaEngine.new({ datamodels: models }, () => {}, adapter)
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: folder },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    })
    return statements(stdout ?? '')
  } finally {
    engine.free()
  }
}

function statements(script: string): string[] {
  const parts = script.replace(/^--.*$/gm, '').split(/;\s*$/m)
  return parts
    .map((statement) => statement.replace(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '')
}
