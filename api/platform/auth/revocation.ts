import type pg from 'pg'
import type { Tx } from '../db.ts'
import { BadInputError } from '../errors/index.ts'
import { newId } from '../ids.ts'
import { kindClaim, type Viewer, type ViewerKind } from './viewer.ts'

/** What to revoke: one token by its id, or all tokens of a subject issued until now. */
export type NewRevocation =
  | { readonly jti: string }
  | { readonly subject: { readonly kind: ViewerKind; readonly sub: string } }

/**
 * Revokes tokens of the tenant of `tx`. Revoking twice is fine, as is revoking what never existed. Effective
 * on this node after `auth.refresh()`, which the caller awaits once it has committed; on others within 2 s.
 * Throws BadInputError naming the field (`jti`, `subject.sub`).
 */
export async function revokeTokens(tx: Tx, revocation: NewRevocation): Promise<void> {
  if ('jti' in revocation) {
    requireLength('jti', revocation.jti)
    await tx.query({
      text: 'insert into revocation (tenant_id, id, jti) values ($1, $2, $3)',
      values: [tx.tenantId, newId(), revocation.jti],
    })
    return
  }
  const { kind, sub } = revocation.subject
  requireLength('subject.sub', sub)
  await tx.query({
    text: `insert into revocation (tenant_id, id, kind, sub, not_before)
      values ($1, $2, $3, $4, clock_timestamp())`,
    values: [tx.tenantId, newId(), kindClaim(kind), sub],
  })
}

/** Longer ids are never accepted in a token. */
export const longestId = 250

function requireLength(field: string, text: string): void {
  if (text.length > 0 && text.length <= longestId && !text.includes('\0')) return
  throw new BadInputError(field, `This must be 1 to ${longestId} characters.`)
}

/** Of a viewer, what a revocation can be about. */
export type Revocable = Pick<Viewer, 'tenant' | 'kind' | 'sub' | 'jti' | 'issuer' | 'issuedAt'>

/** All revocations, in memory, as of the last look at the table. */
export interface Revocations {
  covers(viewer: Revocable): boolean
  /** True while no issuer exists at all. */
  readonly hasNoIssuer: boolean
  /** Looks at the table now. Rejects when the database is away; what was known stays known. */
  refresh(): Promise<Changes>
}

/** What one look at the table found. */
export interface Changes {
  /** True when issuers were added, changed or removed. */
  readonly issuers: boolean
  /** Tells of a token whether something new refuses it; undefined when nothing is new. */
  readonly revoked: ((viewer: Revocable) => boolean) | undefined
}

interface Row {
  readonly next: string
  readonly issuers: string
  readonly count: number
  readonly tenant_id: string | null
  readonly jti: string | null
  readonly kind: string | null
  readonly sub: string | null
  readonly not_before: string | null
}

/*
 * Rows of the last minute are read again each time: one that was written earlier may commit later, and a
 * transaction lives for seconds. The sum of xmin changes with every change of any issuer.
 */
const look = `
  select (clock_timestamp() - interval '60 seconds')::text as next, i.issuers, i.count,
    r.tenant_id, r.jti, r.kind, r.sub, (extract(epoch from r.not_before) * 1000)::text as not_before
  from (
    select count(*)::int as count, count(*) || '/' || coalesce(sum(xmin::text::bigint), 0) as issuers from issuer
  ) i
  left join revocation r on r.created_at > $1::timestamptz`

/** Reads revocations through `system`, a pool that acts as engawa_system. */
export function openRevocations(system: pg.Pool): Revocations {
  const jtis = new Set<string>()
  const subjects = new Map<string, number>()
  let since = '-infinity'
  let issuers = ''
  let hasNoIssuer = true
  let looking: Promise<unknown> = Promise.resolve()

  async function refresh(): Promise<Changes> {
    const { rows } = await system.query<Row>({ name: 'revocations_since', text: look, values: [since] })
    const newJtis = new Set<string>()
    const newSubjects = new Map<string, number>()
    for (const row of rows) {
      if (row.jti !== null) {
        const name = `${row.tenant_id} ${row.jti}`
        if (!jtis.has(name)) newJtis.add(name)
      } else if (row.sub !== null) {
        const name = `${row.tenant_id} ${row.kind} ${row.sub}`
        const until = Number(row.not_before)
        if (until > Math.max(subjects.get(name) ?? 0, newSubjects.get(name) ?? 0))
          newSubjects.set(name, until)
      }
    }
    for (const name of newJtis) jtis.add(name)
    for (const [name, until] of newSubjects) subjects.set(name, until)

    const [first] = rows
    const changed = first !== undefined && first.issuers !== issuers
    if (first) {
      since = first.next
      issuers = first.issuers
      hasNoIssuer = first.count === 0
    }
    return {
      issuers: changed,
      revoked:
        newJtis.size + newSubjects.size > 0 ? (viewer) => isIn(viewer, newJtis, newSubjects) : undefined,
    }
  }

  return {
    covers: (viewer) => isIn(viewer, jtis, subjects),
    get hasNoIssuer() {
      return hasNoIssuer
    },
    refresh() {
      // One after the other, so that an older answer never replaces a newer one.
      const next = looking.then(refresh, refresh)
      looking = next.catch(() => {})
      return next
    },
  }
}

function isIn(viewer: Revocable, jtis: ReadonlySet<string>, subjects: ReadonlyMap<string, number>): boolean {
  const tenant = viewer.tenant.id
  if (viewer.jti !== undefined && jtis.size > 0 && jtis.has(`${tenant} ${viewer.jti}`)) return true
  if (subjects.size === 0) return false
  const until = subjects.get(`${tenant} ${kindClaim(viewer.kind)} ${viewer.sub}`)
  return until !== undefined && viewer.issuedAt.getTime() <= until
}
