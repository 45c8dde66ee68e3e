import { countTexts } from '../../../api/domains/search/service.ts'
import { find, findLike } from '../../../api/domains/search/store.ts'
import { likenessOf, searchQuery, searchText } from '../../../api/platform/text/index.ts'
import { random } from '../../support/buyers.ts'
import { onServer } from '../../support/server.ts'
import type { Figure } from '../figure.ts'
import { quantile } from '../load.ts'
import type { World } from '../world.ts'

const ASKED = 60
const BATCH = 1_000
const everywhere = { kinds: null, space: null, sku: null, tag: null }

/** Searching among many Japanese texts with a member's eyes, by terms of two characters and more. */
export const search: Figure = {
  name: 'search',
  title: 'search by two Japanese characters (100,000 texts; 10,000 with --quick)',
  mark: { is: 'below', value: 20, unit: 'ms' },
  async measure({ db, url, tenant, people, effort }) {
    const count = effort.members > 1_000 ? 100_000 : 10_000
    const words = vocabulary()
    const texts = await written({ url, tenant }, words, count)
    const staff = db.tenant(tenant.id)
    await countTexts(staff, true)
    const [member] = await staff.query<{ id: string }>({
      text: 'select id from member m where own(m) and m.external_id = $1',
      values: [people.residents[0]],
    })
    const eyes = staff.as(member?.id ?? '')
    const median = async (ask: (word: string) => Promise<readonly unknown[]>, asked: readonly string[]) => {
      const times: number[] = []
      let found = 0
      for (const word of asked) {
        const began = performance.now()
        found += (await ask(word)).length
        times.push(performance.now() - began)
      }
      if (found < asked.length) throw new Error(`${asked.length} terms found ${found} texts`)
      return quantile(Float64Array.from(times).sort(), 0.5)
    }
    const terms = (size: number) => {
      const dice = random(size)
      return Array.from({ length: ASKED }, () => {
        const text = Array.from(texts[Math.floor(dice() * texts.length)] ?? '')
        const from = Math.floor(dice() * (text.length - size))
        return text.slice(from, from + size).join('')
      })
    }
    const look = (term: string) => find(eyes, searchQuery(term), everywhere)
    const like = (title: string) =>
      findLike(eyes, likenessOf({ title, body: null }), { kinds: null, space: null, most: 5 })
    await median(look, terms(7))
    const [two, three, five] = [
      await median(look, terms(2)),
      await median(look, terms(3)),
      await median(look, terms(5)),
    ]
    const similar = await median(like, terms(20))
    return {
      measured: `${two.toFixed(1)} ms`,
      value: two,
      statements: 1,
      note: `of ${count.toLocaleString('en')} texts, medians of ${ASKED}; three characters ${three.toFixed(1)} ms, five ${five.toFixed(1)} ms; like a text of twenty ${similar.toFixed(0)} ms`,
    }
  },
}

/** Words as Japanese ones are: a few that are everywhere, and many that are rare. */
function vocabulary(): string[] {
  const dice = random(11)
  const letter = (from: number, of: number) => String.fromCodePoint(from + Math.floor(dice() ** 2 * of))
  return Array.from({ length: 4_000 }, () => {
    const [from, of] = dice() < 0.6 ? ([0x4e00, 1_500] as const) : ([0x3042, 80] as const)
    return Array.from({ length: 2 + Math.floor(dice() * 3) }, () => letter(from, of)).join('')
  })
}

/** Writes so many texts of about 120 characters, and answers the first sentences of a tenth of them. */
async function written(
  { url, tenant }: Pick<World, 'url' | 'tenant'>,
  words: readonly string[],
  count: number,
) {
  const dice = random(13)
  const word = () => words[Math.floor(dice() ** 3 * words.length)] ?? ''
  const sentence = () => `${Array.from({ length: 8 }, word).join('')}。`
  const kept: string[] = []
  await onServer(url, async (client) => {
    await client.query(`select set_config('app.tenant', $1, false)`, [tenant.id])
    await client.query('set role engawa_owner')
    await client.query(SPACE, [tenant.id])
    for (let from = 0; from < count; from += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - from) }, () => {
        const body = Array.from({ length: 5 }, sentence).join('')
        if (dice() < 0.1) kept.push(body.slice(0, body.indexOf('。')))
        return { body, search: searchText({ title: Array.from(body).slice(0, 12).join(''), body }) }
      })
      await client.query(WRITE, [tenant.id, JSON.stringify(batch)])
    }
    await client.query('vacuum analyze search_document, contribution')
  })
  return kept
}

const SPACE = `
  insert into space (tenant_id, key, kind, version, name, purpose, join_mode, is_listed, created_at)
  values ($1, 'library', 'QA', 1, '{"ja": "S"}', '{"ja": "P"}', 'OPEN', true, now())`

const WRITE = `
  with t as materialized (
    select uuid_v7() as id, e -> 'search' as search, e ->> 'body' as body from jsonb_array_elements($2::jsonb) e
  ), c as (
    insert into contribution (tenant_id, kind, id, space_id, root_id, is_by_staff, actor, state, root_state, title, body,
      format, html, tags, created_at, published_at, activity_at)
    select $1::uuid, 'QUESTION', t.id, s.id, t.id, true, 'bench', 'PUBLISHED', 'PUBLISHED', t.search ->> 'title', t.body,
      'MARKDOWN', '<p>' || t.body || '</p>', '{}', now(), now(), now()
    from t, space s where s.tenant_id = $1::uuid and s.key = 'library'
    returning id
  )
  select count(search_put(t.id, t.search)) from t join c on c.id = t.id`
