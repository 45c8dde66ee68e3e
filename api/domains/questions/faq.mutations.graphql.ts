import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import {
  AccessDeniedError,
  BadInputError,
  IdempotencyKeyReusedError,
  SpaceNotEnabledError,
} from '../../platform/errors/index.ts'
import { contributionRef, selfOf, TextFormat, written } from '../contributions/index.ts'
import { entryOf } from './faq.graphql.ts'
import { draftFaq, noteDeflection, publishFaq, retireFaq, reviewFaq } from './faq.service.ts'

const WHICH = 'Which entry.'
const entryId = (id: string) => idOf('FaqEntry', id, 'input.entry')

mutation('draftFaq', {
  description:
    'Begins an entry of the FAQ in own words, which staff edit before they publish it. From a question it takes over the product, and the credit goes to whoever gave the accepted answer. Needs: `community:write`. Emits: nothing.',
  scopes: { writes: 'community:write' },
  errors: [IdempotencyKeyReusedError, SpaceNotEnabledError, AccessDeniedError],
  input: (t) => ({
    space: t.id({ required: true, description: 'Where it is to be read.' }),
    question: t.id({ description: 'The question that it comes from.' }),
    title: t.string({ required: true, description: 'The question; 1 to 300 characters.' }),
    body: t.string({ required: true, description: 'The answer; 1 to 30,000 characters.' }),
    format: t.field({ type: TextFormat, description: 'How the body is written; MARKDOWN when left out.' }),
    tags: t.stringList({ description: 'What it is about, in single words; at most 10.' }),
    sku: t.string({ description: 'The product that it is about; that of the question when left out.' }),
  }),
  resolve: ({ space, question, ...draft }, { db }, operation) =>
    draftFaq(
      db,
      {
        what: written(draft, 'input'),
        space: idOf('Space', space, 'input.space'),
        source: question == null ? null : idOf('Question', question, 'input.question'),
      },
      operation,
    ),
  payload: (t) => ({ entry: entryOf(t) }),
})

mutation('publishFaq', {
  description:
    'Publishes an entry of the FAQ that is being edited. Where it would be read by some who may not read its source, it is refused with WIDER_READERS until one says that this is right. Whoever gave the answer earns by the rules for the activity `faq.credited`, once. Needs: `community:write`. Emits: `faq.published`, `activity.recorded`, `points.posted`.',
  scopes: { writes: 'community:write' },
  errors: [SpaceNotEnabledError, AccessDeniedError],
  key: 'none',
  input: (t) => ({
    entry: t.id({ required: true, description: WHICH }),
    isWiderOk: t.boolean({ description: 'True: others may read it than its source, and that is right.' }),
    reviewAt: t.field({ type: 'DateTime', description: 'When to look at it again; never when left out.' }),
  }),
  resolve: ({ entry, isWiderOk, reviewAt }, { db }, { actor }) =>
    publishFaq(
      db,
      { entry: entryId(entry), isWiderOk: isWiderOk ?? false, reviewAt: reviewAt ?? null },
      actor,
    ),
  payload: (t) => ({ entry: entryOf(t) }),
})

mutation('reviewFaq', {
  description:
    'Says that a published entry of the FAQ still holds, and when to look again. Needs: `community:write`. Emits: nothing.',
  scopes: { writes: 'community:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    entry: t.id({ required: true, description: WHICH }),
    reviewAt: t.field({ type: 'DateTime', description: 'When to look at it again; never when left out.' }),
  }),
  resolve: ({ entry, reviewAt }, { db }, { actor }) => reviewFaq(db, entryId(entry), reviewAt ?? null, actor),
  payload: (t) => ({ entry: entryOf(t) }),
})

mutation('retireFaq', {
  description:
    'Takes an entry out of the FAQ; nothing of it is lost. Needs: `community:write`. Emits: `contribution.state_changed`.',
  scopes: { writes: 'community:write' },
  errors: [],
  key: 'none',
  input: (t) => ({ entry: t.id({ required: true, description: WHICH }) }),
  resolve: ({ entry }, { db }, { actor }) => retireFaq(db, entryId(entry), actor),
  payload: (t) => ({ entry: entryOf(t) }),
})

mutation('noteDeflection', {
  description:
    'Notes, for one session of writing a question, which suggestions were opened, and what was asked in the end. As often as one likes: all that was noted of a session counts once. Needs: a member. Emits: nothing.',
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({
    session: t.string({
      required: true,
      description: 'The client’s name of the session; 1 to 100 characters.',
    }),
    space: t.id({ description: 'Where the question was to be asked.' }),
    opened: t.idList({ description: 'Questions and entries of the FAQ that were opened; at most 20.' }),
    question: t.id({ description: 'What was asked in the end; left out: nothing, or not yet.' }),
  }),
  resolve: async ({ session, space, opened, question }, context) => {
    if ((opened?.length ?? 0) > 20)
      throw new BadInputError('input.opened', 'input.opened must name at most 20 suggestions.')
    await noteDeflection(context.db, selfOf(context), {
      session: text(session, 'input.session', 100),
      space: space == null ? null : idOf('Space', space, 'input.space'),
      opened: [...new Set((opened ?? []).map((id, i) => contributionRef(id, `input.opened.${i}`)))],
      question: question == null ? null : idOf('Question', question, 'input.question'),
    })
    return { isNoted: true }
  },
  payload: (t) => ({ isNoted: t.boolean({ description: 'True: it is noted.', resolve: () => true }) }),
})
