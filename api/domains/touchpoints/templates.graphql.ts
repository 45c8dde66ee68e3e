import { builder } from '../../graph/builder.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { channelsPort } from '../channels/index.ts'
import { MemberByInput, memberRef } from '../members/index.ts'
import { type Preview, previewTemplate } from './templates.preview.ts'
import { MOST_TEXTS, type TemplateText } from './templates.say.ts'
import { parametersOf, saveTemplate } from './templates.service.ts'

const TEXT = {
  locale: 'The language, a BCP 47 tag such as ja.',
  kind: 'The only kind of channel that it is for, such as line; every kind that has no text of its own when left out.',
  title: 'One line of plain text: a subject, a heading. In LiquidJS.',
  body: 'Plain text, with line breaks. In LiquidJS.',
  html: 'The body as HTML; what comes from data is escaped. In LiquidJS.',
  url: 'Where it leads: an https address. In LiquidJS; what comes from data is encoded.',
  data: 'What only this kind of channel understands, as JSON in which every text is LiquidJS.',
}

const TemplateTextType = builder.objectRef<TemplateText>('TemplateText').implement({
  description: 'What a template says in one language.',
  fields: (t) => ({
    locale: t.exposeString('locale', { description: TEXT.locale }),
    kind: t.exposeString('kind', { nullable: true, description: TEXT.kind }),
    title: t.exposeString('title', { description: TEXT.title }),
    body: t.exposeString('body', { description: TEXT.body }),
    html: t.exposeString('html', { nullable: true, description: TEXT.html }),
    url: t.exposeString('url', { nullable: true, description: TEXT.url }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description: TEXT.data,
      resolve: ({ data }) => data ?? null,
    }),
  }),
})

/** A version of a template. */
export const Template = builder.prismaNode('Template', {
  description:
    'What is said, written once, by a version that never changes. A touch keeps the version it was planned with.',
  nullable: true,
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { lists: 'touchpoints:read' },
  select: { id: true },
  fields: (t) => ({
    key: t.exposeString('key'),
    version: t.exposeInt('version'),
    texts: t.field({
      type: [TemplateTextType],
      description: `What it says, by language and kind of channel. At most ${MOST_TEXTS}.`,
      select: { texts: true },
      resolve: ({ texts }) => texts as unknown as TemplateText[], // as template_save was given them
    }),
    savedAt: t.expose('savedAt', { type: 'DateTime' }),
  }),
})

const TemplateConnection = connectionOf(Template, 'Template')

builder.queryField('templates', (t) =>
  t.prismaConnection(
    {
      type: Template,
      nullable: true,
      description: 'The templates of the tenant in their newest versions, by key.',
      authScopes: { lists: 'touchpoints:read' },
      cursor: 'tenantId_id',
      resolve: (query, _root, _args, { db }) =>
        read(db).template.findMany({ ...query, where: { supersededAt: null }, orderBy: { key: 'asc' } }),
    },
    TemplateConnection,
  ),
)

builder.queryField('template', (t) =>
  t.prismaField({
    type: Template,
    nullable: true,
    description: 'One template; null when there is none.',
    authScopes: { lists: 'touchpoints:read' },
    args: {
      key: t.arg.string({ required: true, description: 'Which template.' }),
      version: t.arg.int({ description: 'Which version; the newest when left out.' }),
    },
    resolve: (query, _root, { key, version }, { db }) =>
      read(db).template.findFirst({
        ...query,
        where: { key, ...(version == null ? { supersededAt: null } : { version }) },
      }),
  }),
)

const TemplateTextInput = builder.inputType('TemplateTextInput', {
  description: 'What a template says in one language.',
  fields: (t) => ({
    locale: t.string({ required: true, description: TEXT.locale }),
    kind: t.string({ description: TEXT.kind }),
    title: t.string({ required: true, description: TEXT.title }),
    body: t.string({ required: true, description: TEXT.body }),
    html: t.string({ description: TEXT.html }),
    url: t.string({ description: TEXT.url }),
    data: t.field({ type: 'JSON', description: TEXT.data }),
  }),
})

mutation('saveTemplate', {
  description:
    'Saves a template as a new version, or as the first; what is the newest version already makes no new one. Needs: `touchpoints:write`. Emits: nothing.',
  scopes: { writes: 'touchpoints:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({
      required: true,
      description: 'Its name: small letters, digits and hyphens, at most 100.',
    }),
    texts: t.field({
      type: [TemplateTextInput],
      required: true,
      description: `What it says, one entry for each language and kind of channel; 1 to ${MOST_TEXTS}.`,
    }),
  }),
  resolve: async ({ key, texts }, { db }, { actor }) => ({
    template: await saveTemplate(db, {
      key,
      texts: texts.map(({ locale, kind, title, body, html, url, data }) => ({
        ...{ locale, kind: kind ?? null, title, body },
        ...{ html: html ?? null, url: url ?? null, data: data ?? null },
      })),
      actor,
    }),
  }),
  payload: (t) => ({
    template: t.prismaField({
      type: Template,
      nullable: true,
      description: 'The newest version.',
      resolve: (query, { template }, _args, { db }) =>
        read(db).template.findFirst({ ...query, where: { id: template } }),
    }),
  }),
})

const TemplatePart = builder.enumType('TemplatePart', {
  description: 'A part of a message.',
  values: {
    TITLE: { value: 'title', description: 'The title.' },
    BODY: { value: 'body', description: 'The body.' },
    HTML: { value: 'html', description: 'The body as HTML.' },
    URL: { value: 'url', description: 'Where it leads.' },
    DATA: { value: 'data', description: 'What only one kind of channel understands.' },
  },
} as const)

const PreviewProblem = builder.objectRef<NonNullable<Preview['problem']>>('PreviewProblem').implement({
  description: 'Why a message could not be sent as it is.',
  fields: (t) => ({
    part: t.expose('part', {
      type: TemplatePart,
      nullable: true,
      description: 'The part that is wrong; null when the channel refuses the whole.',
    }),
    line: t.exposeInt('line', {
      nullable: true,
      description: 'The line of the part in the template, from 1.',
    }),
    variable: t.exposeString('variable', {
      nullable: true,
      description: 'The variable that is not there, if that is what is wrong.',
    }),
    message: t.exposeString('message', { description: 'What is wrong, in a sentence.' }),
  }),
})

const TemplatePreview = builder.objectRef<Preview>('TemplatePreview').implement({
  description: 'What a member would read through a channel.',
  fields: (t) => ({
    locale: t.exposeString('locale', { description: 'The language of the text that was chosen.' }),
    title: t.string({ nullable: true, description: 'The title.', resolve: ({ content }) => content?.title }),
    body: t.string({ nullable: true, description: 'The body.', resolve: ({ content }) => content?.body }),
    html: t.string({
      nullable: true,
      description: 'The body as HTML.',
      resolve: ({ content }) => content?.html,
    }),
    url: t.string({ nullable: true, description: 'Where it leads.', resolve: ({ content }) => content?.url }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What only this kind of channel understands.',
      resolve: ({ content }) => content?.data,
    }),
    size: t.exposeInt('size', {
      nullable: true,
      description:
        'How large it is, in the unit in which the channel counts; null when the channel did not take it.',
    }),
    problem: t.expose('problem', {
      type: PreviewProblem,
      nullable: true,
      description: 'Why it could not be sent; null when it could.',
    }),
  }),
})

builder.queryField('previewTemplate', (t) =>
  t.field({
    type: TemplatePreview,
    nullable: true,
    description:
      'What a real member would read of a template through a channel; nothing is sent. Null when there is no such template or member.',
    authScopes: { writes: 'touchpoints:write' },
    args: {
      key: t.arg.string({ required: true, description: 'Which template.' }),
      version: t.arg.int({ description: 'Which version; the newest when left out.' }),
      member: t.arg({ type: MemberByInput, required: true, description: 'Who would read it.' }),
      channel: t.arg.string({ required: true, description: 'The id of the channel.' }),
      parameters: t.arg({ type: 'JSON', description: 'The facts of the touch, as an object.' }),
    },
    resolve: (_root, { key, version, member, channel, parameters }, { db, use }) => {
      const through = use(channelsPort).get(channel)
      if (!through) throw new BadInputError('channel', `There is no channel ${channel} here.`)
      return previewTemplate(db, {
        ref: { template: key, version },
        member: memberRef(member, 'member'),
        channel: through,
        parameters: parametersOf(parameters, 'parameters'),
      })
    },
  }),
)
