import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import {
  AccessDeniedError,
  BadInputError,
  IdempotencyKeyReusedError,
  NotFoundError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { AudienceInput } from '../audiences/index.ts'
import { type Format, TextFormat, written } from '../contributions/index.ts'
import { contentOf } from './content.graphql.ts'
import { ContentFactsInput, factsOf } from './input.graphql.ts'
import { checkGate } from './mutations.graphql.ts'
import { gateOf, promotePost } from './service.ts'
import { ContentKind, ContentPurpose } from './words.graphql.ts'

mutation('promotePostToContent', {
  description:
    "Makes content of a post whose author allowed it, once: it is credited to the author, who did the activity `post.promoted` by it, and stays the tenant's to change. The text is the post's where none is given. Needs: `content:write`. Emits: `content.published`.",
  scopes: { writes: 'content:write' },
  errors: [IdempotencyKeyReusedError, SpaceNotEnabledError, AccessDeniedError],
  input: (t) => ({
    post: t.id({ required: true, description: 'Which post.' }),
    space: t.id({ required: true, description: 'In which space of the kind SITE.' }),
    title: t.string({ description: "What it is headed with; the post's when left out." }),
    body: t.string({ description: "What it says; the post's when left out." }),
    format: t.field({
      type: TextFormat,
      description: 'How a given body is written; MARKDOWN when left out.',
    }),
    kind: t.field({ type: ContentKind, description: 'What it is; ARTICLE when left out.' }),
    purpose: t.field({ type: ContentPurpose, required: true, description: 'What it is published for.' }),
    need: t.string({
      required: true,
      description: 'What the reader needs it for, from the point of view of the reader; 1 to 500 characters.',
    }),
    facts: t.field({ type: ContentFactsInput, description: 'More about it, and whom it is for.' }),
    audience: t.field({
      type: AudienceInput,
      description: 'Who may read it, of those who see into the space; all of them when left out.',
    }),
    isDraft: t.boolean({ description: 'True keeps it as a draft.' }),
  }),
  resolve: async ({ post, space, kind, purpose, need, facts, audience, isDraft, ...given }, { db }, op) => {
    const id = idOf('Post', post, 'input.post')
    const said = await read(db).contribution.findFirst({
      where: { id, kind: 'POST' },
      select: { title: true, body: true, format: true, tags: true },
    })
    if (!said) throw new NotFoundError('post')
    const title = given.title ?? said.title
    if (title == null) throw new BadInputError('input.title', 'input.title must be given: the post has none.')
    const words =
      given.body == null
        ? { body: said.body, format: said.format as Format } // a check constraint holds it
        : { body: given.body, format: given.format }
    const what = written({ title, ...words, tags: said.tags }, 'input')
    const usual = { kind: kind ?? ('ARTICLE' as const), isTeased: false, isPublic: false }
    const whole = { ...usual, purpose, need: text(need, 'input.need', 500), ...factsOf(facts) }
    const gate = await gateOf(db, audience, 'input.audience')
    checkGate(gate, whole)
    const at = idOf('Space', space, 'input.space')
    return promotePost(
      db,
      { post: id, space: at, what, facts: { ...whole, gate }, isDraft: isDraft ?? false },
      op,
    )
  },
  payload: (t) => ({
    content: contentOf(t),
    isNew: t.exposeBoolean('is_new', { description: 'Whether it was made now; false: it was there.' }),
  }),
})
