import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { savePurpose } from './service.ts'
import { purposeName } from './words.ts'

/** `MessageClass` of the API. */
export const MessageClass = builder.enumType('MessageClass', {
  description: 'What kind of message a purpose stands for.',
  values: {
    SERVICE: { description: 'What somebody expects because of what they did, such as a receipt.' },
    MARKETING: { description: 'What the tenant would like to say.' },
  },
})

const ConsentRule = builder.enumType('ConsentRule', {
  description: 'Whether a member has to agree before messages of a purpose are sent.',
  values: {
    NONE: { description: 'No. Only for service.' },
    SINGLE: { description: 'Yes, once.' },
    DOUBLE: { description: 'Yes, and once more by a message to the address (double opt-in).' },
  },
})

const DoubtWish = builder.enumType('DoubtWish', {
  description: 'What to do when nobody can tell whether a message arrived.',
  values: {
    PREFER_MISS: { value: 'preferMiss', description: 'Rather miss it than send it twice.' },
    PREFER_DUPLICATE: { value: 'preferDuplicate', description: 'Rather send it twice than miss it.' },
  } as const,
})

/** A purpose as the API tells it. */
export interface PurposeFacts {
  readonly key: string
  readonly name: unknown
  readonly class: string
  readonly consent: string
  readonly wish: string
  readonly requiresVerifiedAddress: boolean
}

/** What messages are for. */
export const Purpose = builder.objectRef<PurposeFacts>('Purpose').implement({
  description:
    'What messages are for. A purpose that was never described counts as marketing that needs consent once.',
  fields: (t) => ({
    key: t.exposeString('key', {
      description: 'The word that touches and consents name it by, such as newsletter.',
    }),
    name: t.string({
      description: "What members call it, in a language, the tenant's when left out.",
      args: { locale: t.arg.string({ description: 'A BCP 47 tag.' }) },
      resolve: ({ key, name }, { locale }, { viewer }) =>
        purposeName(key, textsOf(name), languageIn(locale ?? viewer?.tenant.locale ?? 'en')),
    }),
    // Check constraints hold these three.
    class: t.field({
      type: MessageClass,
      description: 'What kind of message it stands for.',
      resolve: (purpose) => purpose.class as typeof MessageClass.$inferType,
    }),
    consent: t.field({
      type: ConsentRule,
      description: 'Whether a member has to agree first.',
      resolve: ({ consent }) => consent as typeof ConsentRule.$inferType,
    }),
    wish: t.field({
      type: DoubtWish,
      description: 'What to do when nobody can tell whether a message arrived.',
      resolve: ({ wish }) => wish as typeof DoubtWish.$inferType,
    }),
    isForVerifiedOnly: t.exposeBoolean('requiresVerifiedAddress', {
      description: 'Whether messages go only to addresses that the member has confirmed.',
    }),
  }),
})

function textsOf(name: unknown): Readonly<Record<string, string>> | null {
  return name as Readonly<Record<string, string>> | null // as savePurpose and the migration write it
}

function languageIn(locale: string): string {
  return locale.toLowerCase().split('-')[0] ?? 'en'
}

const PURPOSE = {
  key: true,
  name: true,
  class: true,
  consent: true,
  wish: true,
  requiresVerifiedAddress: true,
} as const

/** The tenant's purposes, by their keys. */
export function purposesOf({ db }: Context): Promise<PurposeFacts[]> {
  return read(db).purpose.findMany({ select: PURPOSE, orderBy: { key: 'asc' }, take: 100 })
}

builder.queryField('purposes', (t) =>
  t.field({
    type: [Purpose],
    nullable: true,
    description: "The tenant's purposes, by their keys. At most 100.",
    authScopes: { reads: 'consents:read' },
    resolve: (_root, _args, context) => purposesOf(context),
  }),
)

const PurposeName = builder.inputType('PurposeNameInput', {
  description: 'What members call a purpose, in both languages of the pages for members.',
  fields: (t) => ({
    en: t.string({ required: true, description: 'In English.' }),
    ja: t.string({ required: true, description: 'In Japanese.' }),
  }),
})

mutation('savePurpose', {
  description:
    'Describes a purpose, for the first time or anew. What members agreed to stays as it is. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'The word that touches and consents name it by.' }),
    name: t.field({ type: PurposeName, required: true, description: 'What members call it.' }),
    class: t.field({
      type: MessageClass,
      required: true,
      description: 'What kind of message it stands for.',
    }),
    consent: t.field({
      type: ConsentRule,
      required: true,
      description: 'Whether a member has to agree first.',
    }),
    wish: t.field({
      type: DoubtWish,
      required: true,
      defaultValue: 'preferMiss',
      description: 'What to do when nobody can tell whether a message arrived.',
    }),
    isForVerifiedOnly: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Whether messages go only to addresses that the member has confirmed.',
    }),
  }),
  resolve: ({ isForVerifiedOnly, ...purpose }, { db }) =>
    savePurpose(db, { ...purpose, requiresVerifiedAddress: isForVerifiedOnly }),
  payload: (t) => ({
    purpose: t.field({
      type: Purpose,
      nullable: true,
      description: 'The purpose, as it is now.',
      resolve: ({ purpose }, _args, { db }) =>
        read(db).purpose.findFirst({ select: PURPOSE, where: { key: purpose } }),
    }),
  }),
})
