import { type Shop, type TestMember, testApp } from '../support/app.ts'
import { makeSpace } from '../support/house.ts'

/** A shop with two spaces, a moderator of the first, and members. */
export interface House {
  readonly shop: Shop
  /** Ids of spaces. */
  readonly club: string
  readonly lab: string
  readonly mia: TestMember
  readonly aki: TestMember
  /** Moderates the club. */
  readonly mod: TestMember
}

/** At the top of a file: opens such shops, each with a tenant of its own. */
export function houses() {
  const open = testApp({ role: 'web' })
  return async (testClock = '2026-04-01T00:00:00Z'): Promise<House> => {
    const shop = await open({ testClock })
    const [club, lab] = [await makeSpace(shop, 'club'), await makeSpace(shop, 'lab')]
    const [mia, aki, mod] = [await shop.member('mia'), await shop.member('aki'), await shop.member('mod')]
    await shop.do('placeInSpace', { space: club, member: mod.by, standing: 'JOINED', role: 'MODERATOR' })
    return { shop, club, lab, mia, aki, mod }
  }
}

let count = 0

/** Publishes a post, as somebody unless as staff; its id. Each says something else: nobody may repeat itself. */
export async function publish(shop: Shop, post: object, by?: TestMember): Promise<string> {
  const done = await shop.do(
    'publishPost',
    { body: `Hello ${++count}.`, ...post },
    { ...(by && { as: by.token }), select: 'post { id }' },
  )
  return done.post?.id ?? JSON.stringify(done)
}

/** What somebody finds of a post. */
export async function look(shop: Shop, id: string, fields: string, by?: TestMember) {
  const query = `query ($id: ID!) { node(id: $id) { ... on Post { ${fields} } } }`
  const { data, errors } = await shop.ask(by?.token ?? shop.staff, query, { id })
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return data.node
}
