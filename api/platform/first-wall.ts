import pg from 'pg'
import type { Statement } from './tenant-client.ts'

/** How statements are sent: with or without the first wall, and under which name each text is prepared. */
export interface FirstWallOptions {
  readonly without: boolean
  nameOf(text: string): string
}

/**
 * The first wall in hand-written SQL. A statement says `own(m)` where the rows of `m` must be the
 * tenant's, and `own()` where a single table has no alias:
 *
 *     select m.id from member m where own(m) and m.external_id = $1
 *
 * It is sent as `m.tenant_id = $2`, with the tenant's id as one value more. With `without`, it is sent
 * as `true`. Texts are rewritten once.
 */
export function firstWall({ without, nameOf }: FirstWallOptions) {
  const known = new Map<string, Rewritten>()

  return (tenantId: string, { text, values, name }: Statement): pg.QueryConfig => {
    let rewritten = known.get(text)
    if (!rewritten) {
      if (known.size >= REMEMBERED) known.clear()
      rewritten = rewrite(text, without)
      known.set(text, rewritten)
    }
    if (rewritten.takesTenant && rewritten.values !== values.length) {
      throw new TypeError(`${rewritten.values} placeholders, but ${values.length} values: ${text}`)
    }
    const config: pg.QueryConfig = {
      text: rewritten.text,
      values: rewritten.takesTenant ? [...values, tenantId] : [...values],
      types: ROW_TYPES,
    }
    rewritten.uses += 1
    if (name !== undefined || rewritten.uses > UNPREPARED_USES) config.name = nameOf(rewritten.text)
    return config
  }
}

const REMEMBERED = 2_000
const UNPREPARED_USES = 2

interface Rewritten {
  readonly text: string
  /** How many values the statement brings itself. */
  readonly values: number
  /** Whether the tenant's id comes after them. */
  readonly takesTenant: boolean
  uses: number
}

function rewrite(text: string, without: boolean): Rewritten {
  let values = 0
  for (const [, number] of text.matchAll(/\$(\d+)/g)) values = Math.max(values, Number(number))
  let takesTenant = false
  const walled = text.replace(/\bown\(\s*(\w*)\s*\)/g, (_, alias: string) => {
    if (without) return 'true'
    takesTenant = true
    return `${alias && `${alias}.`}tenant_id = $${values + 1}`
  })
  return { text: walled, values, takesTenant, uses: 0 }
}

const ROW_TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    ROW_PARSERS.get(oid) ?? pg.types.getTypeParser(oid, format),
}

const ROW_PARSERS = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, BigInt],
  // A calendar day is no instant: as a Date it would move with the zone of the process.
  [pg.types.builtins.DATE, (text) => text],
])
