import { makeSpace } from '../support/house.ts'
import type { Shop } from '../support/shop.ts'

/** An article as a test publishes it, in a space `site`. */
export const article = {
  title: 'Dry skin in winter',
  body: 'Use **little** soap. 石けんは少しだけ。',
  kind: 'ARTICLE',
  purpose: 'RETENTION',
  need: 'My skin is dry in winter',
}

/** What a test asks of a card. */
export const CARD =
  'id kind title teaser isTeased visibility lock { reason unlock } link content { id html body commentCount } useful notUseful satisfaction viewerRating'

/** Makes the space `site`, and beside it a community and a place for questions that are switched off; its id. */
export async function makeSite(shop: Shop, given: object = {}): Promise<string> {
  for (const kind of ['COMMUNITY', 'QA']) {
    const space = await makeSpace(shop, `no-${kind.toLowerCase()}`, { kind })
    await shop.do('disableSpace', { space })
  }
  return makeSpace(shop, 'site', { kind: 'SITE', ...given })
}

/** Publishes content; its id, or the refusal. */
export async function publish(shop: Shop, space: string, given: object = {}) {
  const done = await shop.do('publishContent', { space, ...article, ...given }, { select: 'content { id }' })
  return done.content?.id ?? done
}

/** The list of content as somebody sees it. */
export async function listed(shop: Shop, token: string, filter = '{}') {
  const query = `query ($filter: ContentFilter) { content(filter: $filter) { totalCount nodes { ${CARD} } } }`
  const { data, errors } = await shop.ask(token, query.replace('totalCount', ''), {
    filter: JSON.parse(filter),
  })
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return data.content.nodes
}

/** Something by its id. */
export async function node(shop: Shop, token: string, id: string, select: string) {
  const { data, errors } = await shop.ask(token, `query ($id: ID!) { node(id: $id) { ${select} } }`, { id })
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return data.node
}
