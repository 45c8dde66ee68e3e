import { builder } from '../../graph/builder.ts'
import { known } from '../contributions/index.ts'
import { FaqEntry } from '../questions/index.ts'
import {
  type DeflectionFacts,
  type EntryDeflectionFacts,
  readDeflection,
  readEntryDeflection,
} from './deflection.store.ts'
import type { Stay } from './stickiness.store.ts'

const EntryDeflection = builder.objectRef<EntryDeflectionFacts>('EntryDeflection').implement({
  description: 'What came of sessions of writing a question in which an entry of the FAQ was opened.',
  fields: (t) => ({
    entry: t.field({
      type: FaqEntry,
      description: 'The entry.',
      resolve: ({ entry }) => known('FAQ', entry),
    }),
    opened: t.exposeInt('opened', { description: 'In how many sessions it was opened.' }),
    deflected: t.exposeInt('deflected', { description: 'After how many of these nothing was asked.' }),
  }),
})

/** What came of sessions of writing a question. */
export const Deflection = builder
  .objectRef<DeflectionFacts & { readonly stay: Stay }>('Deflection')
  .implement({
    description:
      'What came of sessions of writing a question that are over: something was asked, or nothing was noted for an hour.',
    fields: (t) => ({
      sessions: t.exposeInt('sessions', { description: 'Sessions that were noted.' }),
      opened: t.exposeInt('opened', { description: 'Of these, those in which a suggestion was opened.' }),
      deflected: t.exposeInt('deflected', { description: 'Of these, those in which nothing was asked.' }),
      deflectedBasisPoints: t.int({
        nullable: true,
        description: 'Deflected by opened, in ten-thousandths, rounded down.',
        resolve: ({ deflected, opened }) => (opened === 0 ? null : Math.floor((deflected * 10_000) / opened)),
      }),
      entries: t.field({
        type: [EntryDeflection],
        nullable: true,
        description: 'The entries of the FAQ that were opened most. At most 20.',
        resolve: ({ stay }, _args, { db }) => readEntryDeflection(db, stay),
      }),
    }),
  })

/** What a span comes to. */
export const deflectionOf = async (stay: Stay, db: Parameters<typeof readDeflection>[0]) => ({
  ...(await readDeflection(db, stay)),
  stay,
})
