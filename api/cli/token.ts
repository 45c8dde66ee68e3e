import { mintDevelopmentToken } from '../platform/auth/index.ts'
import { command, UsageError } from './command.ts'
import { Obstacle } from './explain.ts'
import { note, result } from './terminal.ts'
import { atWork, findTenant } from './workplace.ts'

const options = {
  tenant: { value: 'T', is: 'the key of the tenant', isRequired: true },
  kind: { value: 'member|integration|staff', is: 'whom it speaks for', isRequired: true },
  sub: { value: 'EXT', is: "a member's external id, or a name for staff and programs", isRequired: true },
  scope: {
    value: '"a b"',
    is: 'scopes for staff and programs, which have none without it; "*" is all of them',
  },
  ttl: { value: '1h', is: 'how long it lives: 90s, 15m, 1h, 7d', usually: '1h' },
} as const

/** Prints a development token, alone on stdout. */
export default command(options, async ({ tenant: key, kind, sub, scope, ttl }) => {
  if (kind !== 'member' && kind !== 'integration' && kind !== 'staff') {
    throw new UsageError(`--kind ${kind} is none of member, integration, staff.`)
  }
  const ttlSeconds = secondsOf(ttl)
  const scopes = (scope ?? '').split(/[\s,]+/).filter((part) => part !== '')
  if (kind === 'member' && scopes.length > 0)
    throw new UsageError('Members need no --scope: what is theirs they may see.')
  return atWork(async ({ config, db }) => {
    const tenant = await findTenant(db, key)
    const { rows } = await db.system.query<{ hasIssuer: boolean }>(
      'select exists (select from issuer) as "hasIssuer"',
    )
    if (rows[0]?.hasIssuer) {
      throw new Obstacle(
        'There is an issuer, so this is no longer development mode: its tokens are the only ones accepted. Ask it for one.',
      )
    }
    if (kind === 'member' && !(await isKnown(db.tenant(tenant.id), sub))) {
      note(`${key} has no member "${sub}" yet; viewer.member is null until there is one.`)
    }
    if (kind !== 'member' && scopes.length === 0)
      note('Without --scope this token may see nothing but itself.')
    result(
      await mintDevelopmentToken({ dataDir: config.dataDir, tenant: key, kind, sub, scopes, ttlSeconds }),
    )
  })
})

function secondsOf(ttl: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(ttl)
  const seconds = Number(match?.[1]) * ({ s: 1, m: 60, h: 3_600, d: 86_400 }[match?.[2] ?? ''] ?? Number.NaN)
  if (seconds > 0) return seconds
  throw new UsageError(`--ttl ${ttl} is not a time such as 90s, 15m, 1h or 7d.`)
}

async function isKnown(
  client: { query<Row>(statement: { text: string; values: unknown[] }): Promise<Row[]> },
  sub: string,
): Promise<boolean> {
  const rows = await client.query({
    text: 'select from member where own() and external_id = $1',
    values: [sub],
  })
  return rows.length > 0
}
