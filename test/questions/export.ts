import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { Export, importQuestions } from '../../api/domains/questions/index.ts'
import type { House } from './house.ts'

/** A row of an export, by attribute. */
export type Row = Readonly<Record<string, string | number>>
export const DAY = '2020-03-01T10:00:00.123'

const quoted = (value: string | number) =>
  String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Writes an export; a name that ends with .gz is packed. */
export async function exported(files: Readonly<Record<string, readonly Row[]>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'engawa-export-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  for (const [name, rows] of Object.entries(files)) {
    const lines = rows.map(
      (row) =>
        `  <row ${Object.entries(row)
          .map(([key, value]) => `${key}="${quoted(value)}"`)
          .join(' ')} />`,
    )
    const text = `\uFEFF<?xml version="1.0" encoding="utf-8"?>\n<rows>\n${lines.join('\n')}\n</rows>`
    await writeFile(join(dir, name), name.endsWith('.gz') ? gzipSync(text) : text)
  }
  return dir
}

/** Imports an export; what that brought, left out and told. */
export async function imported(house: House, dir: string) {
  const db = house.shop.ground.app.db.tenant(house.shop.tenant.id)
  const notes: string[] = []
  const place = { source: 'se', space: house.space, actor: 'operator:import' }
  const done = await importQuestions(db, await Export.open(dir), place, {
    note: (text) => notes.push(text),
    progress: () => {},
  })
  return { ...done, aside: Object.fromEntries(done.aside), notes }
}
