import type pg from 'pg'
import { SealedError, type Vault } from './vault.ts'

/** A table whose rows are sealed: `sealed`, `data_key` and `key_id` stand beside the columns that name a row. */
export interface SealedTable {
  readonly table: string
  /** The columns that name a row besides its tenant, and make its place. */
  readonly names: readonly string[]
  placeOf(tenant: string, ...names: string[]): string
}

/** How far a rotation has come. */
export interface Rotated {
  readonly done: number
  readonly total: number
  /** Rows that no key of this process opens; they stay as they are. */
  readonly unopened: number
}

const batch = 200

interface Row {
  readonly tenant: string
  readonly names: readonly string[]
  readonly dataKey: Uint8Array
  readonly keyId: string
}

/**
 * Puts every data key that is under another master key under the present one. What is sealed stays as it is. Killed
 * and run again, it goes on where it was; secrets that are set meanwhile are under the present key already.
 */
export async function rotateKeys(
  system: pg.Pool,
  tables: readonly SealedTable[],
  { vault, onProgress }: { readonly vault: Vault; onProgress?(rotated: Rotated): void },
): Promise<Rotated> {
  const keyId = await vault.keyId()
  const rotated = { done: 0, total: 0, unopened: 0 }
  for (const { table } of tables) {
    const text = `select count(*)::int as n from ${table} where key_id <> $1`
    rotated.total += (await system.query<{ n: number }>(text, [keyId])).rows[0]?.n ?? 0
  }
  for (const each of tables) {
    let after: Row | undefined
    while (true) {
      const rows = await page(system, each, { keyId, after })
      if (rows.length === 0) break
      after = rows.at(-1)
      const wrapped = await Promise.all(rows.map((row) => rewrapped(each, row, vault)))
      const good = wrapped.filter((row) => row !== undefined)
      await write(system, each, good)
      rotated.done += good.length
      rotated.unopened += rows.length - good.length
      onProgress?.({ ...rotated })
    }
  }
  return rotated
}

async function page(
  system: pg.Pool,
  { table, names }: SealedTable,
  { keyId, after }: { keyId: string; after: Row | undefined },
): Promise<Row[]> {
  const key = ['tenant_id', ...names].map((name) => `${name}::text`)
  const beyond = after ? `and (${key.join(', ')}) > (${key.map((_, i) => `$${i + 2}`).join(', ')})` : ''
  const { rows } = await system.query<Row>(
    `select tenant_id as tenant, array[${names.map((name) => `${name}::text`).join(', ')}]::text[] as names,
       data_key as "dataKey", key_id as "keyId"
     from ${table} where key_id <> $1 ${beyond} order by ${key.join(', ')} limit ${batch}`,
    [keyId, ...(after ? [after.tenant, ...after.names] : [])],
  )
  return rows
}

async function rewrapped({ placeOf }: SealedTable, row: Row, vault: Vault) {
  try {
    return { before: row, after: await vault.rewrap(placeOf(row.tenant, ...row.names), row) }
  } catch (error) {
    if (error instanceof SealedError) return undefined
    throw error
  }
}

/** Whoever set other secrets meanwhile has sealed them anew: those rows are left alone. */
async function write(
  system: pg.Pool,
  { table, names }: SealedTable,
  rows: readonly { before: Row; after: Pick<Row, 'dataKey' | 'keyId'> }[],
): Promise<void> {
  const told = rows.map(({ before, after }) => ({
    ...{ tenant: before.tenant, names: before.names, old: hex(before.dataKey) },
    ...{ data_key: hex(after.dataKey), key_id: after.keyId },
  }))
  const named = names.map((name, i) => `and t.${name}::text = r.names ->> ${i}`).join(' ')
  await system.query(
    `update ${table} t set data_key = decode(r.data_key, 'hex'), key_id = r.key_id
     from jsonb_to_recordset($1) r (tenant uuid, names jsonb, old text, data_key text, key_id text)
     where t.tenant_id = r.tenant ${named} and t.data_key = decode(r.old, 'hex')`,
    [JSON.stringify(told)],
  )
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
