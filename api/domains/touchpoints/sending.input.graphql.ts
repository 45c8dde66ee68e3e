import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { text } from '../../graph/input.ts'
import { BadInputError, ForbiddenError } from '../../platform/errors/index.ts'
import { AudienceInput, parseRule, type Rule, scopesOf } from '../audiences/index.ts'
import { channelsPort } from '../channels/index.ts'
import { MemberByInput } from '../members/index.ts'
import { WeekdayType } from './policy.input.graphql.ts'
import type { Message } from './sending.ts'
import { parametersOf } from './templates.service.ts'

/** To whom something is sent. */
export const RecipientInput = builder.inputType('RecipientInput', {
  description: 'To whom it is sent: one member, or everybody who matches a rule when it is sent.',
  isOneOf: true,
  fields: (t) => ({
    member: t.field({ type: MemberByInput, description: 'One member.' }),
    audience: t.field({
      type: AudienceInput,
      description: 'Everybody who matches this rule at the moment of sending.',
    }),
  }),
})

const LocalTimeInput = builder.inputType('LocalTimeInput', {
  description:
    'A time of day by the clock of each member: the next one, the next on one of some weekdays, or on a date. It moves with a member who moves. A time that clocks skip is the first one after the gap.',
  fields: (t) => ({
    time: t.string({ required: true, description: 'HH:MM, from 00:00 to 23:59.' }),
    weekdays: t.field({
      type: [WeekdayType],
      description: 'Only on these days; on every day when left out.',
    }),
    date: t.field({ type: 'LocalDate', description: 'On this day.' }),
  }),
})

const SendAtInput = builder.inputType('SendAt', {
  description: 'When it is sent.',
  isOneOf: true,
  fields: (t) => ({
    instant: t.field({ type: 'DateTime', description: 'At this instant, wherever the member lives.' }),
    local: t.field({ type: LocalTimeInput, description: 'At this time of day, where the member lives.' }),
  }),
})

const ContentInput = builder.inputType('ContentInput', {
  description: 'What is said, word by word.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'One line of plain text: a subject, a heading.' }),
    body: t.string({ required: true, description: 'Plain text, with line breaks.' }),
    html: t.string({ description: 'The body as HTML, as it is.' }),
    url: t.string({ description: 'Where it leads: an https address.' }),
    data: t.field({ type: 'JSON', description: 'What only one kind of channel understands.' }),
  }),
})

const Wish = builder.enumType('SendWish', {
  description: 'What to risk where a channel cannot tell whether a message arrived.',
  values: {
    PREFER_MISS: { value: 'preferMiss', description: 'It is not sent again; it may have been missed.' },
    PREFER_DUPLICATE: { value: 'preferDuplicate', description: 'It is sent again; it may have come twice.' },
  } as const,
})

type InputBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>

/** What a message says: fields of the inputs that send one. */
export const saidFields = (t: InputBuilder) => ({
  channels: t.stringList({
    description:
      'The ids of the channels, in the order in which they are tried; what suits each member when left out. At most 10.',
  }),
  template: t.string({ description: 'The key of the template that says it, in its newest version.' }),
  content: t.field({ type: ContentInput, description: 'What is said, word by word, instead of a template.' }),
  parameters: t.field({ type: 'JSON', description: 'The facts that the template speaks of, as an object.' }),
})

/** When and how a message is sent: further fields. */
export const sentFields = (t: InputBuilder) => ({
  purpose: t.string({
    required: true,
    description: 'What it is for, such as newsletter; consent goes by it.',
  }),
  at: t.field({ type: SendAtInput, description: 'When; now when left out.' }),
  priority: t.int({
    defaultValue: 50,
    required: true,
    description: 'Where several messages compete for a member, the highest goes first; 0 to 100.',
  }),
  expiresAt: t.field({
    type: 'DateTime',
    description: 'After this nobody wants it any more, as of an offer.',
  }),
  wish: t.field({ type: Wish, description: "What to risk in doubt; the purpose's wish when left out." }),
})

/** What the inputs above are given. */
export interface GivenMessage {
  readonly purpose: string
  readonly channels?: readonly string[] | null | undefined
  readonly template?: string | null | undefined
  readonly content?:
    | {
        readonly title: string
        readonly body: string
        readonly html?: string | null | undefined
        readonly url?: string | null | undefined
        readonly data?: unknown
      }
    | null
    | undefined
  readonly parameters?: unknown
  readonly at?: Message['at'] | null | undefined
  readonly priority?: number
  readonly expiresAt?: Date | null | undefined
  readonly wish?: Message['wish'] | undefined
}

/** Reads a message of the API. Throws BadInputError naming the field. */
export async function messageOf(given: GivenMessage, context: Context): Promise<Message> {
  const { channels = null, content, expiresAt = null, priority = 50 } = given
  const known = context.use(channelsPort)
  if (channels && (channels.length < 1 || channels.length > 10)) {
    throw new BadInputError('input.channels', 'input.channels has 1 to 10 channels, or is left out.')
  }
  channels?.forEach((id, i) => {
    if (!known.get(id)) throw new BadInputError(`input.channels.${i}`, `There is no channel ${id} here.`)
  })
  if (priority < 0 || priority > 100) {
    throw new BadInputError('input.priority', `input.priority must be from 0 to 100; it is ${priority}.`)
  }
  if (expiresAt && expiresAt <= (await context.now())) {
    throw new BadInputError('input.expiresAt', 'input.expiresAt must lie in the future.')
  }
  return {
    purpose: text(given.purpose, 'input.purpose', 100),
    channels,
    template: given.template ?? null,
    content: content
      ? {
          ...{ title: content.title, body: content.body },
          ...(content.html != null && { html: content.html }),
          ...(content.url != null && { url: content.url }),
          ...(content.data != null && { data: content.data }),
        }
      : null,
    parameters: parametersOf(given.parameters, 'input.parameters'),
    at: given.at ?? {},
    priority,
    expiresAt,
    wish: given.wish ?? null,
  }
}

/** Reads an audience of the API. Throws BadInputError, and ForbiddenError when the token may not ask by it. */
export function audienceOf(given: object, field: string, { viewer }: Context): Rule {
  const rule = parseRule(given, field)
  const missing = [...scopesOf(rule)].find((scope) => !viewer?.can(scope))
  if (missing) throw new ForbiddenError(`This audience needs a token with the scope ${missing}.`)
  return rule
}
