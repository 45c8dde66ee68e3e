import type { Tx } from '../../platform/db.ts'

/** What a ladder measures, as tier_ladder holds it. */
export type Measure = 'POINTS' | 'BALANCE' | 'SPEND' | 'PURCHASES' | 'ACTIVITIES'

/** A ladder in force. Tiers stand in order, the lowest first. */
export interface LadderFacts {
  readonly key: string
  readonly version: number
  readonly measure: Measure
  /** The currency of what is measured, or the name of the activity. */
  readonly unit: string | null
  readonly falls: 'NEVER' | 'ONE_LEVEL' | 'FULL'
  readonly keys: readonly string[]
  readonly thresholds: readonly bigint[]
  readonly neverFalls: readonly boolean[]
  /** Texts by language for each tier. */
  readonly names: readonly Readonly<Record<string, string>>[]
}

/** Where a member stands on a ladder, as tier_sight of 0019_tiers.sql tells it. Amounts are in the ladder's unit. */
export interface Sight {
  readonly ladder: LadderFacts
  /** The zone of the tenant, whose days all dates here are. */
  readonly timeZone: string
  /** The language of the member. */
  readonly locale: string
  /** The place on the ladder from 1; 0: on no tier. */
  readonly level: number
  readonly since: Date | null
  readonly validUntil: Date | null
  readonly isManual: boolean
  readonly isGrace: boolean
  readonly measured: bigint
  readonly staying: bigint
  readonly stayBy: Date | null
  readonly nextBy: Date | null
}

const LADDERS = `
  select l.key, l.version, l.measure, l.unit, l.falls, l.keys, l.thresholds, l.never_falls as "neverFalls", l.names
  from tier_ladder l where own(l) and l.is_live`

type LadderRow = Omit<LadderFacts, 'thresholds'> & { readonly thresholds: readonly (string | bigint)[] }

const asLadder = (row: LadderRow): LadderFacts => ({ ...row, thresholds: row.thresholds.map(BigInt) })

/** The ladders in force, by their keys; at most 20. */
export async function readLadders(tx: Tx): Promise<LadderFacts[]> {
  const rows = await tx.query<LadderRow>({
    name: 'tier_ladders',
    text: `${LADDERS} order by l.key limit 20`,
    values: [],
  })
  return rows.map(asLadder)
}

/** Where these members (uuids) stand on a ladder, by member; nothing for a ladder that is not in force. */
export async function readSights(
  tx: Tx,
  ladder: string,
  members: readonly string[],
): Promise<ReadonlyMap<string, Sight>> {
  const rows = await tx.query<LadderRow & Omit<Sight, 'ladder'> & { readonly memberId: string }>({
    name: 'tier_sight',
    text: `select l.*, s.member_id as "memberId", s.level, s.since, s.valid_until as "validUntil",
             s.is_manual as "isManual", s.is_grace as "isGrace", s.measured, s.staying, s.stay_by as "stayBy",
             s.next_by as "nextBy", t.time_zone as "timeZone", m.locale
           from (${LADDERS} and l.key = $1) l, tier_sight((select array_agg(x::uuid) from json_array_elements_text($2) x), $1) s
           join member m on own(m) and m.id = s.member_id join tenant t on t.id = m.tenant_id`,
    values: [ladder, JSON.stringify(members)],
  })
  return new Map(
    rows.map((row) => [
      row.memberId,
      { ...row, ladder: asLadder(row), measured: BigInt(row.measured), staying: BigInt(row.staying) },
    ]),
  )
}

/** How many members a version of a ladder would move, from which tier to which; null for none. */
export interface Move {
  readonly from: string | null
  readonly to: string | null
  readonly members: number
}

/** The same of one of several ladders. */
export interface LadderMove extends Move {
  readonly ladder: string
}
