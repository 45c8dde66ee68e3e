import { builder } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { contributionRef, selfOf } from '../contributions/index.ts'
import { recordSession } from './sessions.service.ts'

const ViewKind = builder.enumType('PageViewKind', {
  description: 'What was looked at.',
  values: { PAGE: { description: 'A page of a site.' }, SCREEN: { description: 'A screen of an app.' } },
})

const PageViewInput = builder.inputType('PageViewInput', {
  description: 'One look at a page or screen.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: "The client's name of this look; with its instant it counts once. 1 to 100 characters.",
    }),
    at: t.field({ type: 'DateTime', required: true, description: 'When; within the last seven days.' }),
    kind: t.field({ type: ViewKind, description: 'What it was; PAGE when left out.' }),
    resource: t.string({
      required: true,
      description: 'The path of the page, or the name of the screen; 1 to 500 characters.',
    }),
    contribution: t.id({ description: 'What was shown, when it was something written in a space.' }),
    level: t.int({ description: 'How deep it lies, 1 to 20; 1, the entrance, when left out.' }),
    seconds: t.int({
      required: true,
      description: 'How long it was looked at: seconds in which the member was there, 0 to 86400.',
    }),
  }),
})

mutation('recordSession', {
  description:
    'Tells what one looked at during a visit; a look that is known counts once. It makes dwell, depth and frequency, and the views of contributions. Needs: a member. Emits: nothing.',
  scopes: { member: true },
  errors: [],
  key: 'none',
  input: (t) => ({
    session: t.string({
      required: true,
      description: "The client's name of the visit; 1 to 100 characters.",
    }),
    views: t.field({ type: [PageViewInput], required: true, description: 'The looks; 1 to 100.' }),
  }),
  resolve: async ({ session, views }, context) => {
    if (views.length < 1 || views.length > 100)
      throw new BadInputError('input.views', `input.views has 1 to 100 looks; there are ${views.length}.`)
    const visit = text(session, 'input.session', 100)
    const looks = views.map(({ key, at, kind, resource, contribution, level, seconds }, i) => {
      const field = `input.views.${i}`
      if (seconds < 0 || seconds > 86_400)
        throw new BadInputError(`${field}.seconds`, `${field}.seconds must be 0 to 86400.`)
      if (level != null && (level < 1 || level > 20))
        throw new BadInputError(`${field}.level`, `${field}.level must be 1 to 20.`)
      return {
        ...{ key: text(key, `${field}.key`, 100), at, session: visit, kind: kind ?? 'PAGE', seconds },
        ...{ resource: text(resource, `${field}.resource`, 500), level: level ?? 1 },
        contribution: contribution == null ? null : contributionRef(contribution, `${field}.contribution`),
      }
    })
    return recordSession(context.db, selfOf(context), looks)
  },
  payload: (t) => ({
    recorded: t.exposeInt('recorded', { description: 'How many looks were not known before.' }),
  }),
})
