import { settleNotifications } from '../../api/domains/notifications/index.ts'
import { decodeId, encodeId } from '../../api/graph/ids.ts'
import { searchText } from '../../api/platform/text/index.ts'
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
  readonly kind: 'POST' | 'QUESTION' | 'ANSWER' | 'CONTENT'
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

/** Tells members of what happened, as the worker does. */
export async function tell(shop: Shop): Promise<void> {
  while ((await settleNotifications(shop.ground.app.db.tenant(shop.tenant.id), 100)) > 0);
}

/** The id of a contribution as the API has it. */
export const idOfKind = (type: string, id: string) => encodeId(type, id)

/** Whoever looks, by what they are to the house. */
export interface House {
  readonly shop: Shop
  /** Tokens: of nobody yet, outside the rule, inside, who left the club's space, a moderator of it, and staff. */
  readonly tokens: Readonly<Record<Viewer, string>>
  /** Every text, by its name, with whom it is for. */
  readonly texts: Readonly<
    Record<string, { readonly id: string; readonly kind: string; readonly seers: Viewer[] }>
  >
}

/** Everybody whom the table of sight knows. */
export const VIEWERS = ['stranger', 'outside', 'inside', 'left', 'moderator', 'staff'] as const
export type Viewer = (typeof VIEWERS)[number]

const EVERYBODY: Viewer[] = ['outside', 'inside', 'left', 'moderator', 'staff']
const CLUB: Viewer[] = ['inside', 'moderator', 'staff']
const LOOKED_AFTER: Viewer[] = ['moderator', 'staff']

/**
 * A house with an open space and a club, which is for those whose attribute `vip` is true and who were let in. Each text
 * has its name as title and body: `canary-<name>`.
 */
export async function openHouse(shop: Shop): Promise<House> {
  const club = await makeSpace(shop, 'club', {
    join: 'REQUEST',
    see: { attribute: { name: 'vip', equals: true } },
  })
  await makeSpace(shop, 'open')
  await makeSpace(shop, 'off')
  const people: Record<string, { token: string; by: { externalId: string } }> = {}
  for (const who of ['outside', 'inside', 'left', 'moderator', 'author', 'blocked']) {
    people[who] = await shop.member(who, { attributes: { vip: who !== 'outside' } })
    const standing = who === 'left' ? 'LEFT' : 'JOINED'
    const role = who === 'moderator' ? 'MODERATOR' : 'MEMBER'
    await shop.do('placeInSpace', { space: club, member: people[who].by, standing, role })
  }
  const texts: Record<string, { id: string; kind: string; seers: Viewer[] }> = {}
  const tell = async (
    name: string,
    seers: Viewer[],
    { kind = 'POST', ...what }: Partial<Raw> & { space: string },
  ) => {
    const canary = `canary-${name}`
    const text = {
      title: canary,
      body: canary,
      html: `<p>${canary}</p>`,
      by: 'author',
      sku: 'SOAP',
      search: searchText({ title: canary, body: canary }),
    }
    texts[name] = { id: await write(shop, { kind, ...text, ...what }), kind, seers }
    return texts[name].id
  }
  const open = await tell('open', EVERYBODY, { space: 'open' })
  await tell('open-comment', EVERYBODY, { space: 'open', kind: 'COMMENT' as 'POST', parent: open })
  const inClub = await tell('club', CLUB, { space: 'club' })
  await tell('club-comment', CLUB, { space: 'club', kind: 'COMMENT' as 'POST', parent: inClub })
  await tell('draft', ['staff'], { space: 'open', isDraft: true })
  await tell('private', LOOKED_AFTER, { space: 'club', isPrivate: true })
  const gone = await tell('removed', LOOKED_AFTER, { space: 'club' })
  await tell('removed-comment', LOOKED_AFTER, { space: 'club', kind: 'COMMENT' as 'POST', parent: gone })
  await tell('off', ['staff'], { space: 'off' })
  await tell('blocked-comment', ['outside', 'left', 'moderator', 'staff'], {
    ...{ space: 'open', kind: 'COMMENT' as 'POST', parent: open, by: 'blocked' },
  })
  Object.assign(texts, await fillSite(shop))
  const asked = await tell('club-question', CLUB, { space: 'club', kind: 'QUESTION' })
  await tell('open-faq', EVERYBODY, { space: 'open', kind: 'FAQ' as 'POST' })
  await tell('club-faq', CLUB, { space: 'club', kind: 'FAQ' as 'POST' })
  await tell('club-answer', CLUB, { space: 'club', kind: 'ANSWER' as 'POST', parent: asked })
  await removeAndClose(shop, gone)
  return {
    shop,
    texts,
    tokens: {
      stranger: await shop.token('member', 'nobody-yet'),
      outside: people.outside?.token ?? '',
      inside: people.inside?.token ?? '',
      left: people.left?.token ?? '',
      moderator: people.moderator?.token ?? '',
      staff: shop.staff,
    },
  }
}

/** Content for everybody, for those whose `vip` is true, and the same teased: what may not be read is in its text. */
async function fillSite(shop: Shop) {
  const space = await makeSpace(shop, 'site', { kind: 'SITE' })
  const audience = { attribute: { name: 'vip', equals: true } }
  const vips: Viewer[] = ['inside', 'left', 'moderator', 'staff']
  const facts = { isTeased: true, teaser: 'Something for others.' }
  const texts: Record<string, { id: string; kind: string; seers: Viewer[] }> = {}
  for (const [name, seers, more] of [
    ['content', EVERYBODY, {}],
    ['content-hidden', vips, { audience }],
    ['content-teased', vips, { audience, facts }],
    ['content-draft', ['staff'], { isDraft: true }],
  ] as const) {
    const text = { title: 'Something', body: `canary-${name}`, need: 'A reason', ...more }
    const asked = { space, kind: 'ARTICLE', purpose: 'RETENTION', ...text }
    const { content } = await shop.do('publishContent', asked, { select: 'content { id }' })
    texts[name] = { id: decodeId(content.id, 'id').id, kind: 'CONTENT', seers: [...seers] }
  }
  return texts
}

/** A moderator's removal, one member's block, and a space that is switched off. */
async function removeAndClose(shop: Shop, gone: string) {
  await onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    await client.query(`select contribution_set_state($1, null, 'REMOVED', 'staff:anna')`, [gone])
    await client.query(
      `select member_block_set((select id from member where tenant_id = $1 and external_id = 'inside'),
         (select id from member where tenant_id = $1 and external_id = 'blocked'), false, true)`,
      [shop.tenant.id],
    )
    await client.query(`select space_enable(id, false) from space where tenant_id = $1 and key = 'off'`, [
      shop.tenant.id,
    ])
  })
}
