import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { migrate } from '../../api/platform/migrate.ts'
import { usingEmptyDatabase } from '../support/database.ts'
import { onServer } from '../support/server.ts'

const ours = join(import.meta.dirname, '../../schema/migrations')
const TENANT = '0198a000-0000-7000-8000-000000000001'

test('a tenant of before keeps what its rule gave, version by version', async () => {
  const { url } = await usingEmptyDatabase()
  const before = await mkdtemp(join(tmpdir(), 'engawa-before-'))
  onTestFinished(() => rm(before, { recursive: true }))
  for (const file of await readdir(ours))
    if (file < '0016') await copyFile(join(ours, file), join(before, file))
  await migrate(url, before)
  await onServer(url, async (client) => {
    await client.query(
      `insert into tenant (id, key, name, time_zone, locale) values ($1, 'old', 'Old', 'Asia/Tokyo', 'ja')`,
      [TENANT],
    )
    await client.query(
      `insert into earn_rule (tenant_id, key, version, minor_per_point, expires_months, reason)
       values ($1, 'purchase', 2, 50, null, 'Thanks')`,
      [TENANT],
    )
  })

  await migrate(url)
  const { rows } = await onServer(url, (client) =>
    client.query(
      `select r.key, r.version, r.per_minor::text as per, d.body -> 'expiry' as expiry, r.name, d.is_live, r.is_plain
       from earn_rule r join definition d on d.kind = 'earnRule' and d.key = r.key and d.version = r.version
         and r.key = 'purchase'
       where r.tenant_id = $1 order by r.version`,
      [TENANT],
    ),
  )
  const rule = { key: 'purchase', is_plain: true }
  expect(rows).toEqual([
    // Twelve months to the end of the month is what the currency says.
    {
      ...rule,
      version: 1,
      per: '100',
      expiry: null,
      name: { en: 'Purchase', ja: 'お買い物' },
      is_live: false,
    },
    {
      ...rule,
      version: 2,
      per: '50',
      expiry: { never: true },
      name: { en: 'Thanks', ja: 'Thanks' },
      is_live: true,
    },
  ])
})
