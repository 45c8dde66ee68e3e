import { builder } from '../../graph/builder.ts'
import { inLanguage } from '../../graph/in-language.ts'
import { loader } from '../../graph/load.ts'
import { type EntitlementFacts, readVersions } from './entitlements.store.ts'

/** `EntitlementKind` of the API. */
export const EntitlementKind = builder.enumType('EntitlementKind', {
  description: 'What an entitlement opens.',
  values: {
    TOOL: { description: 'A tool that only members can use.' },
    SERVICE: { description: 'A service that only members receive.' },
    CONTENT: { description: 'Something to read, watch or hear.' },
    SEAT: { description: 'A place at an event.' },
  },
})

/** `QuotaPeriod` of the API. */
export const QuotaPeriod = builder.enumType('QuotaPeriod', {
  description: "When a quota begins anew, by the calendar of the tenant's zone.",
  values: {
    DAY: { description: 'At midnight.' },
    WEEK: { description: 'On Monday.' },
    MONTH: { description: 'On the first of the month.' },
    YEAR: { description: 'On the first of January.' },
    EVER: { description: 'Never.' },
    GRANT: { description: 'With each grant.' },
  },
})

/** Something that members may use, in one version. */
export const Entitlement = builder.objectRef<EntitlementFacts>('Entitlement').implement({
  description: 'Something that members may use: a tool, a service, content or a seat.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The name that tools and programs use.' }),
    name: t.string({
      description: "What members call it, in the language of the viewer's tenant.",
      resolve: ({ body, key }, _args, context) => inLanguage(body.name, context) ?? key,
    }),
    kind: t.field({ type: EntitlementKind, description: 'What it opens.', resolve: ({ body }) => body.kind }),
    quota: t.int({
      nullable: true,
      description: 'How often it may be used in each period; null: without limit.',
      resolve: ({ body }) => body.quota?.times ?? null,
    }),
    per: t.field({
      type: QuotaPeriod,
      nullable: true,
      description: 'When the quota begins anew; null: there is none.',
      resolve: ({ body }) => body.quota?.per ?? null,
    }),
    validFor: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long a grant of it lives; null: until it is taken back.',
      resolve: ({ body }) => body.validFor ?? null,
    }),
    tiers: t.stringList({
      description: 'The keys of the tiers that list it. At most 50.',
      resolve: ({ body }) => body.tiers ?? [],
    }),
  }),
})

/** Entitlements by version and key, `<version> <key>`. */
export const entitlementOf = loader<string, EntitlementFacts | null>((names, { db }) => {
  const asked = names.map((name) => {
    const [version = '', ...key] = name.split(' ')
    return { version: Number(version), key: key.join(' ') }
  })
  return readVersions(db, asked)
})
