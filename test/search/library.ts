import { find, findLike } from '../../api/domains/search/store.ts'
import { decodeId } from '../../api/graph/ids.ts'
import { likenessOf, searchQuery, searchText } from '../../api/platform/text/index.ts'
import type { OpenShop, Shop, TestMember } from '../support/app.ts'
import { onServer } from '../support/server.ts'

/** Something to be found. */
export interface Entry {
  readonly body: string
  readonly title?: string
  readonly kind?: 'POST' | 'QUESTION' | 'FAQ' | 'CONTENT'
  readonly space?: string
  readonly by?: TestMember
  readonly [more: string]: unknown
}

/** A shop with two spaces, and what is written in them. */
export interface Library {
  readonly shop: Shop
  /** The uuid of a space by its key: `open`, or `club`, which one has to join. */
  space(key: string): Promise<string>
  /** Writes, published at once; the ids (uuids) in their order. */
  write(...entries: readonly Entry[]): Promise<string[]>
  /** Searches with the eyes of a member, or of staff; the ids in their order. */
  search(text: string, by?: TestMember | null, within?: object): Promise<string[]>
  /** What is like a text. */
  similar(text: string, by?: TestMember | null, within?: object): Promise<string[]>
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

const everywhere = { kinds: null, space: null, sku: null, tag: null }

/** Opens a shop with the spaces `open` and `club`. */
export async function openLibrary(open: OpenShop): Promise<Library> {
  const shop = await open()
  const db = shop.ground.app.db.tenant(shop.tenant.id)
  const eyes = (by?: TestMember | null) => (by ? db.as(decodeId(by.id, 'id').id) : db)
  const query = <Row>(text: string, values: readonly unknown[] = []) =>
    db.query<Row>({ text, values, name: 'test' })
  const space = async (key: string) => {
    const [row] = await query<{ id: string }>('select id from space where key = $1', [key])
    return row?.id ?? ''
  }
  const bodyOf = (join: string) => ({
    kind: 'COMMUNITY',
    name: { en: 'Place', ja: '場所' },
    purpose: { en: 'Talk.', ja: '話す。' },
    join,
    isListed: true,
  })
  await query('select definition_publish($1, null, $2)', [
    JSON.stringify([
      { kind: 'space', key: 'open', body: bodyOf('OPEN') },
      { kind: 'space', key: 'club', body: bodyOf('INVITATION') },
    ]),
    'staff:anna',
  ])
  const places = new Map([
    ['open', await space('open')],
    ['club', await space('club')],
  ])
  return {
    shop,
    space,
    query,
    async write(...entries) {
      const given = entries.map(({ space: key = 'open', kind = 'POST', by, title, body, ...more }) => ({
        by: by ? decodeId(by.id, 'id').id : null,
        what: {
          ...{ kind, title, body, format: 'MARKDOWN', html: `<p>${body}</p>`, tags: [], ...more },
          space: places.get(key),
          search: searchText({ title: title ?? '', body }),
        },
      }))
      const rows = await onOwner(shop, JSON.stringify(given))
      return rows.map(({ outcome }) => outcome.contribution)
    },
    async search(text, by, within = {}) {
      const found = await find(eyes(by), searchQuery(text), { ...everywhere, ...within })
      return found.map(({ id }) => id)
    },
    async similar(text, by, within = {}) {
      const found = await findLike(eyes(by), likenessOf({ title: text }), {
        ...{ kinds: null, space: null, most: 5 },
        ...within,
      })
      return found.map(({ id }) => id)
    },
  }
}

/** Writes as the rooms do, which the application may not do by itself. */
async function onOwner(shop: Shop, given: string): Promise<{ outcome: { contribution: string } }[]> {
  return onServer(shop.ground.databaseUrl, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [shop.tenant.id])
    const { rows } = await client.query<{ outcome: { contribution: string } }>(
      `select contribution_write((e ->> 'by')::uuid, 'test', e -> 'what') as outcome
       from jsonb_array_elements($1::jsonb) e`,
      [given],
    )
    return rows
  })
}
