/*
 * What the bench asks, and beside each question the floor: one hand-written statement that builds the same answer as
 * JSON. `$1` is the tenant (a uuid), `$2` the member's external id where there is one. The bench compares both answers
 * before it measures.
 */

/** A member's first screen, asked by the member. */
export const HOME = `query Home {
  viewer {
    member {
      id externalId displayName registeredAt
      stage { key name }
      freshness { score band nextBandAt }
      wallet {
        id available pending held
        postings(first: 10) { nodes { id points from to at transaction { kind reason } } }
      }
      inbox(first: 5) { nodes { id title receivedAt readAt } }
      nextTouch { ... on PlannedTouch { at channel purpose } ... on NoTouch { reason } }
    }
  }
}`

const POSTINGS = (id: boolean) => `(
  select coalesce(json_agg(x.j), '[]') from (
    select json_build_object(
      ${id ? "'id', p.transaction_id::text || '.' || p.seq," : ''}
      'points', p.amount::text, 'from', p.from_bucket, 'to', p.to_bucket, 'at', o.at
      ${id ? ", 'transaction', json_build_object('kind', o.kind, 'reason', o.reason)" : ''}) as j
    from posting p join op o on o.tenant_id = p.tenant_id and o.transaction_id = p.transaction_id
    where p.tenant_id = w.tenant_id and p.wallet_id = w.id
    order by p.wallet_version desc, p.seq desc limit 10) x)`

/** The floor of HOME. */
export const HOME_FLOOR = `select json_build_object('data', json_build_object('viewer', json_build_object('member',
  json_build_object(
    'id', m.id, 'externalId', m.external_id, 'displayName', m.display_name, 'registeredAt', m.registered_at,
    'stage', (select json_build_object('key', s.key, 'name', s.name ->> 'ja')
      from stage s where s.tenant_id = m.tenant_id
        and s.version = (select max(version) from lifecycle where tenant_id = m.tenant_id)
        and s.key = case when l.silent_at < now() then l.silent_stage else l.stage end),
    'freshness', json_build_object(
      'score', freshness_score(l.rhythm_a, l.rhythm_b, l.rhythm_k, weeks_between(l.last_at, now())),
      'band', l.band, 'nextBandAt', l.next_band_at),
    'wallet', (select json_build_object('id', w.id, 'available', w.available::text, 'pending', w.pending::text,
        'held', w.held::text, 'postings', json_build_object('nodes', ${POSTINGS(true)}))
      from wallet w where w.tenant_id = m.tenant_id and w.member_id = m.id and w.currency = 'POINTS'),
    'inbox', json_build_object('nodes', (
      select coalesce(json_agg(x.j), '[]') from (
        select json_build_object('id', d.id, 'title', d.content ->> 'title', 'receivedAt', d.accepted_at,
          'readAt', d.read_at) as j
        from delivery d
        where d.tenant_id = m.tenant_id and d.member_id = m.id and d.channel = 'inbox' and d.state = 'ACCEPTED'
        order by d.accepted_at desc, d.id desc limit 5) x)),
    'nextTouch', (select coalesce(
      (select json_build_object('at', t.due_at, 'channel', t.channel, 'purpose', t.purpose)
       from touchpoint t where t.tenant_id = m.tenant_id and t.member_id = m.id and t.settled_at is null
       order by t.due_at, t.id limit 1),
      json_build_object('reason', 'NOTHING_PLANNED')))))))::text as answer
from member m
join lifecycle_state l on l.tenant_id = m.tenant_id and l.member_id = m.id
where m.tenant_id = $1 and m.external_id = $2`

/** A page of 50 members with ten postings each, asked by staff. */
export const LIST = `query List {
  members(first: 50) {
    nodes {
      id externalId displayName
      stage { key }
      wallet { id available postings(first: 10) { nodes { points from to at } } }
    }
    pageInfo { hasNextPage }
  }
}`

/** The floor of LIST. */
export const LIST_FLOOR = `select json_build_object('data', json_build_object('members', json_build_object(
  'nodes', coalesce(json_agg(x.j) filter (where x.n <= 50), '[]'),
  'pageInfo', json_build_object('hasNextPage', count(*) > 50))))::text as answer
from (
  select row_number() over (order by m.registered_at desc, m.id desc) as n, json_build_object(
    'id', m.id, 'externalId', m.external_id, 'displayName', m.display_name,
    'stage', json_build_object('key', case when l.silent_at < now() then l.silent_stage else l.stage end),
    'wallet', (select json_build_object('id', w.id, 'available', w.available::text,
        'postings', json_build_object('nodes', ${POSTINGS(false)}))
      from wallet w where w.tenant_id = m.tenant_id and w.member_id = m.id and w.currency = 'POINTS')) as j
  from (select * from member where tenant_id = $1 order by registered_at desc, id desc limit 51) m
  join lifecycle_state l on l.tenant_id = m.tenant_id and l.member_id = m.id
) x`

/** A purchase of two lines, asked by an integration that wants to know only whether it was taken. */
export const RECORD_PURCHASE = `mutation Buy($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) { __typename }
}`

/** A spend of points, asked by an integration that wants to know only whether it was taken. */
export const SPEND_POINTS = `mutation Spend($input: SpendPointsInput!) {
  spendPoints(input: $input) { __typename }
}`

/** What happens, live. */
export const EVENTS = `subscription Live($types: [String!]) {
  events(types: $types) {
    __typename
    ... on EventDelivered { event { type } }
    ... on Checkpoint { cursor }
    ... on StreamReset { reason }
  }
}`
