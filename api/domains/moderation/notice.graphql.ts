import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { mutation } from '../../graph/mutation.ts'
import { TextsInput } from '../../graph/texts.ts'
import { Contribution } from '../contributions/index.ts'
import { publish } from '../program/index.ts'
import { Space } from '../spaces/index.ts'
import { contributionNoticePart } from './part.ts'
import { type Notice, readNotice } from './service.ts'

const ContributionNotice = builder.objectRef<Notice>('ContributionNotice').implement({
  description: 'How what members write is processed, in the words of the tenant.',
  fields: (t) => ({
    text: t.string({
      description: "The text, in the language of the viewer's tenant.",
      resolve: ({ text }, _args, context) => inLanguage(text, context) ?? '',
    }),
    version: t.exposeInt('version', { description: 'Which version of it this is.' }),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', description: 'Since when it holds.' }),
  }),
})

builder.prismaObjectField(Space, 'notice', (t) =>
  t.field({
    type: ContributionNotice,
    nullable: true,
    description:
      'How what is written here is processed: to be shown before one writes. Null: nothing is said.',
    resolve: async (_space, _args, { db }) => (await readNotice(db)) ?? null,
  }),
)

mutation('defineContributionNotice', {
  description:
    'Says how what members write is processed, such as who reads it and which services judge it; every version is kept. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({ text: t.field({ type: TextsInput, required: true, description: 'What members read.' }) }),
  resolve: async ({ text }, { db }, { actor }) => {
    const body = contributionNoticePart.read({ text }, 'input')
    await publish(db, [{ kind: 'contributionNotice', key: 'contributionNotice', body }], { actor })
    return { key: 'contributionNotice' }
  },
  payload: (t) => ({
    notice: t.field({
      type: ContributionNotice,
      nullable: true,
      description: 'The notice in force.',
      resolve: async (_payload, _args, { db }) => (await readNotice(db)) ?? null,
    }),
  }),
})

builder.prismaInterfaceField(Contribution, 'source', (t) =>
  t.string({
    nullable: true,
    description:
      'What was written before words of it were masked, for whoever may change it; null when none were, and for others.',
    select: { source: { select: { body: true } } },
    resolve: ({ source }) => source?.body ?? null,
  }),
)
