import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { read } from '../../graph/read.ts'
import { seriesMissed } from './events.ts'

/** Content that keeps coming. */
export const Series = builder.prismaObject('ContentSeries', {
  description: 'Content that keeps coming: one issue in each span.',
  fields: (t) => ({
    key: t.exposeString('key'),
    name: t.string({
      description: "What readers call it, in the language of the viewer's tenant.",
      select: { name: true, key: true },
      resolve: ({ name, key }, _args, context) => inLanguage(name, context) ?? key,
    }),
    every: t.expose('every', { type: 'Duration', description: 'How often an issue comes out.' }),
    dueAt: t.expose('dueAt', { type: 'DateTime', nullable: true }),
    issues: t.exposeInt('issues'),
    missed: t.exposeInt('missed'),
    missedAt: t.expose('missedAt', { type: 'DateTime', nullable: true }),
  }),
})

builder.queryField('contentSeries', (t) =>
  t.prismaField({
    type: [Series],
    nullable: true,
    description: 'The series, by key. At most 100.',
    authScopes: { reads: 'community:read' },
    resolve: (query, _root, _args, { db }) =>
      read(db).contentSeries.findMany({ ...query, orderBy: { key: 'asc' }, take: 100 }),
  }),
)

eventType(seriesMissed, (t) => ({
  series: t.prismaField({
    type: Series,
    nullable: true,
    description: 'The series, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).contentSeries.findFirst({ ...query, where: { id: factOf(event, 'series') } }),
  }),
  dueAt: t.field({
    type: 'DateTime',
    description: 'By when the issue had to be out.',
    resolve: (event) => new Date(factOf(event, 'dueAt')),
  }),
}))
