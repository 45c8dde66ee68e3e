import { encodeId } from '../../api/graph/ids.ts'
import { onServer } from './server.ts'
import type { Shop } from './shop.ts'

/** A space as its definition has it, open to every member. */
export const spaceNamed = (name: string, kind = 'COMMUNITY') => ({
  kind,
  name: { en: name, ja: name },
  purpose: { en: `A place for ${name}`, ja: `${name}の場所` },
})

/** Makes a space; its id as the API has it, and as the database does. */
export async function makeSpace(shop: Shop, key: string, given: object = {}) {
  const space = { ...spaceNamed(key), ...given }
  const done = await shop.do('defineSpace', { key, space }, { select: 'space { id }' })
  return done.space.id as string
}

/** What stands for a kind of contribution whose own mutation is no matter of the test. */
export interface Raw {
  readonly space: string
  readonly kind: 'POST' | 'QUESTION' | 'CONTENT'
  /** The external id of the author; left out: staff. */
  readonly by?: string
  readonly [name: string]: unknown
}

/**
 * Writes by contribution_write itself, as the rooms do, and gives the id (a uuid). Throws when it is refused.
 */
export async function write(shop: Shop, { space, by, ...what }: Raw): Promise<string> {
  const text = { title: 'Hello', body: 'Hello.', format: 'MARKDOWN', html: '<p>Hello.</p>' }
  return onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    const { rows } = await client.query<{ outcome: { contribution: string } }>(
      `select contribution_write((select m.id from member m where m.tenant_id = $1 and m.external_id = $2), 'test',
         $3::jsonb || jsonb_build_object('space', (select s.id from space s where s.tenant_id = $1 and s.key = $4))) as outcome`,
      [shop.tenant.id, by ?? null, JSON.stringify({ ...text, ...what }), space],
    )
    const outcome = rows[0]?.outcome
    if (!outcome?.contribution) throw new Error(JSON.stringify(outcome))
    return outcome.contribution
  })
}

/** The id of a contribution as the API has it. */
export const idOfKind = (type: string, id: string) => encodeId(type, id)
