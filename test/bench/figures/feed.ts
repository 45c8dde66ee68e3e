import { onServer } from '../../support/server.ts'
import type { Figure } from '../figure.ts'
import { quantile } from '../load.ts'
import { post } from './requests.ts'

const QUERY = `query Feed {
  viewer { feed(first: 50, orderBy: FOR_YOU) { nodes {
    id title html kind tags score commentCount helpfulCount author { displayName } space { key name }
    viewerReactions isFollowed isUnread unreadCount viewerCanEdit
  } pageInfo { hasNextPage endCursor } } }
}`
const POSTS = 2_000
const ASKED = 30

/** A feed of 50 posts with authors, counts and what they are to the member who asks, of 2,000 posts in ten spaces. */
export const feed: Figure = {
  name: 'feed',
  title: "a member's feed of 50 posts, ranked for it",
  mark: { is: 'below', value: 250, unit: 'ms' },
  async measure(world) {
    const web = await world.web()
    await onServer(world.url, async (client) => {
      await client.query(`select set_config('app.tenant', $1, false)`, [world.tenant.id])
      await client.query('set role engawa_owner')
      await client.query(SPACES, [world.tenant.id])
      await client.query(WRITE, [world.tenant.id, POSTS])
      await client.query('analyze contribution')
    })
    const token = await world.token('member', world.people.residents[0] ?? '')
    const ask = { body: { query: QUERY }, token, expects: '{"data":{"viewer":{"feed":{"nodes":[{' }
    const once = () => post(web.port, '/graphql', ask)
    for (let i = 0; i < 5; i++) await once()
    const times: number[] = []
    for (let i = 0; i < ASKED; i++) {
      const began = performance.now()
      await once()
      times.push(performance.now() - began)
    }
    const statements = await web.statementsOf(once)
    const median = quantile(Float64Array.from(times).sort(), 0.5)
    return {
      measured: `${median.toFixed(1)} ms`,
      value: median,
      statements: statements.length,
      note: `of ${POSTS.toLocaleString('en')} posts; the slowest of ${ASKED} took ${Math.max(...times).toFixed(0)} ms`,
    }
  },
}

const SPACES = `
  insert into space (tenant_id, key, kind, version, name, purpose, join_mode, is_listed, created_at)
  select $1, 'space ' || n, 'COMMUNITY', 1, '{"ja": "S"}', '{"ja": "P"}', 'OPEN', true, now()
  from generate_series(1, 10) n`

const WRITE = `
  insert into contribution (tenant_id, kind, id, space_id, root_id, author_id, is_by_staff, actor, state, root_state, title,
    body, format, html, tags, created_at, published_at, activity_at)
  select $1, 'POST', p.id, s.id, p.id, m.id, false, 'bench', 'PUBLISHED', 'PUBLISHED', 'Tea', 'Tea.', 'MARKDOWN',
    '<p>Tea.</p>', '{tea}', p.at, p.at, p.at
  from (select n, uuid_v7() as id, now() - n * interval '15 minutes' as at from generate_series(1, $2::int) n) p
  join (select id, row_number() over (order by id) as n from space where tenant_id = $1) s on s.n = p.n % 10 + 1
  join (select id, row_number() over (order by id) as n from member where tenant_id = $1) m on m.n = p.n % 200 + 1`
