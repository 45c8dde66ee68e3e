import { gateOf, publishContent } from '../domains/content/index.ts'
import { addComment, react, type Writer, written } from '../domains/contributions/index.ts'
import { writePost } from '../domains/posts/index.ts'
import { acceptAnswer, answerQuestion, askQuestion } from '../domains/questions/index.ts'
import type { Tx } from '../platform/db.ts'
import type { Operation } from '../platform/operation.ts'
import { guides, posts, questions } from './texts.ts'

/** Where the demo's members and spaces are, and how a request is named so that it counts once. */
interface Writing {
  readonly operation: (what: string) => Operation
  /** The uuid of a space by its key. */
  readonly space: (key: string) => string
  /** A member by its external id. */
  readonly by: (externalId: string) => Writer & { readonly member: string }
}

/** Writes what members and the shop say in the demo's spaces; what a load that was cut short has written stays. */
export async function fillSpaces(tenant: Tx, operation: Writing['operation']): Promise<void> {
  const spaces = await idsOf(tenant, 'select key, id from space where own()')
  const members = await idsOf(tenant, 'select external_id as key, id from member where own()')
  const writing: Writing = {
    operation,
    space: (key) => known(spaces, key),
    by: (externalId) => ({ member: known(members, externalId), actor: `member:${externalId}` }),
  }
  await tellGuides(tenant, writing)
  await tellPosts(tenant, writing)
  await tellQuestions(tenant, writing)
}

async function tellGuides(tenant: Tx, { operation, space }: Writing): Promise<void> {
  for (const { title, body, need, sku, teaser, audience } of guides) {
    const gate = await gateOf(tenant, audience, 'demo')
    const facts = {
      ...{
        kind: 'ARTICLE',
        purpose: 'RETENTION',
        need,
        teaser,
        isTeased: teaser !== null,
        isPublic: false,
        gate,
      },
      ...{ stages: [], skus: [sku], personas: [] },
    }
    const what = written({ title, body, sku }, 'demo')
    await publishContent(
      tenant,
      { space: space('site'), what, facts, isDraft: false },
      operation(`guide:${title}`),
    )
  }
}

async function tellPosts(tenant: Tx, { operation, space, by }: Writing): Promise<void> {
  for (const { author, title, body, kind, rating = null, sku, tags, likedBy, comments } of posts) {
    const post = {
      ...written({ title, body, sku, tags }, 'demo'),
      ...{ space: space('salon'), draft: null, postKind: kind, rating, topics: [], mayPromote: true },
      ...{ poll: null, gathering: null },
    }
    const made = await writePost(tenant, { post, isDraft: false }, by(author), operation(`post:${title}`))
    for (const each of comments) {
      await addComment(
        tenant,
        { to: made.post, what: written({ body: each.body }, 'demo') },
        by(each.author),
        operation(`comment:${each.body}`),
      )
    }
    for (const liker of likedBy) {
      await react(tenant, { id: made.post, member: by(liker).member, kind: 'UP', isOn: true })
    }
  }
}

async function tellQuestions(tenant: Tx, { operation, space, by }: Writing): Promise<void> {
  for (const { author, title, body, sku, tags, answers } of questions) {
    const what = written({ title, body, sku, tags }, 'demo')
    const asker = by(author)
    const { question } = await askQuestion(
      tenant,
      { what, space: space('questions'), kind: 'QUESTION', isPrivate: false },
      asker,
      operation(`question:${title}`),
    )
    for (const each of answers) {
      const { answer } = await answerQuestion(
        tenant,
        { question, what: written({ body: each.body }, 'demo'), isOfficial: false },
        by(each.author),
        operation(`answer:${each.body}`),
      )
      if (!each.isAccepted) continue
      await acceptAnswer(
        tenant,
        { question, answer, expected: undefined },
        asker,
        operation(`accept:${each.body}`),
      )
    }
  }
}

async function idsOf(tenant: Tx, text: string): Promise<ReadonlyMap<string, string>> {
  const rows = await tenant.query<{ key: string; id: string }>({ text, values: [] })
  return new Map(rows.map(({ key, id }) => [key, id]))
}

function known(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key)
  if (id === undefined) throw new TypeError(`the demo has nothing called ${key}`)
  return id
}
