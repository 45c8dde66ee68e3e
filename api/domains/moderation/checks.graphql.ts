import { builder } from '../../graph/builder.ts'
import { mutation } from '../../graph/mutation.ts'
import { read } from '../../graph/read.ts'
import { BadInputError, NotFoundError } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import { vaultPort } from '../../platform/vault.ts'
import { configurePlugin } from '../channels/index.ts'
import { Contribution } from '../contributions/index.ts'
import { checksPort } from './checks.port.ts'

const CheckedKind = builder.enumType('CheckedKind', {
  description: 'What a check judges.',
  values: {
    POST: { description: 'Posts.' },
    COMMENT: { description: 'Remarks.' },
    QUESTION: { description: 'Questions.' },
    ANSWER: { description: 'Answers.' },
  },
})

const CheckRunState = builder.enumType('CheckRunState', {
  description: 'What a check said of a text.',
  values: {
    WAITING: { description: 'It was not asked yet, or is asked again.' },
    APPROVED: { description: 'It may be published.' },
    QUEUED: { description: 'Somebody has to look.' },
    SPAM: { description: 'It is spam.' },
    FAILED: { description: 'It did not answer: somebody has to look.' },
    MOOT: { description: 'The text waited no longer.' },
  },
})

const CheckRun = builder.prismaObject('ContentCheckRun', {
  variant: 'CheckRun',
  description: 'What a check said of a text.',
  fields: (t) => ({
    check: t.exposeString('key', { description: 'Which check.' }),
    state: t.field({
      type: CheckRunState,
      description: 'What it said.',
      select: { state: true },
      resolve: ({ state }) => state as typeof CheckRunState.$inferType, // a check constraint holds it
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why.' }),
    score: t.exposeFloat('score', { nullable: true, description: 'How sure it is, in its own measure.' }),
    revision: t.exposeInt('revision', { description: 'Of which version of the text.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Since when that stands.' }),
  }),
})

builder.prismaInterfaceField(Contribution, 'checks', (t) =>
  t.relation('checks', {
    type: CheckRun,
    description: 'What checks said of it, by their ids: for moderators and staff. At most 20.',
    query: { orderBy: { key: 'asc' }, take: 20 },
  }),
)

const ContentCheck = builder.prismaObject('ContentCheck', {
  fields: (t) => ({
    key: t.exposeString('key'),
    isEnabled: t.exposeBoolean('isEnabled'),
    kinds: t.field({
      type: [CheckedKind],
      description: 'Which kinds it judges; none: all of them. At most 4.',
      select: { kinds: true },
      resolve: ({ kinds }) => kinds as (typeof CheckedKind.$inferType)[], // the mutation takes no others
    }),
    upToTrust: t.exposeInt('upToTrust', { nullable: true }),
  }),
})

builder.queryField('contentChecks', (t) =>
  t.prismaField({
    type: [ContentCheck],
    nullable: true,
    description: 'The checks that the tenant has set, by key. At most 20.',
    authScopes: { staff: 'settings' },
    resolve: (query, _root, _args, { db }) =>
      read(db).contentCheck.findMany({ ...query, orderBy: { key: 'asc' }, take: 20 }),
  }),
)

mutation('configureContentCheck', {
  description:
    'Has a check of this deployment judge what members write, or switches it off. What would be published waits for it, seen by its author and moderators alone. What its plugin refuses is BAD_INPUT by `input.config.<path>`. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  key: 'none',
  input: (t) => ({
    check: t.string({ required: true, description: 'The id of the check.' }),
    isEnabled: t.boolean({ required: true, description: 'Whether it judges.' }),
    config: t.field({
      type: 'JSON',
      description:
        'The whole configuration, as the plugin wants it; left out, it stays. Secrets that are left out stay as well, and null removes one.',
    }),
    kinds: t.field({ type: [CheckedKind], description: 'Which kinds it judges; all when left out.' }),
    upToTrust: t.int({
      description: 'It judges members who are trusted so far at most, 0 to 9; all when left out.',
    }),
  }),
  resolve: async ({ check: key, isEnabled, config, kinds, upToTrust }, context, { actor }) => {
    const plugin = context.use(checksPort).get(key)
    if (!plugin) throw new NotFoundError('check')
    if (upToTrust != null && (upToTrust < 0 || upToTrust > 9)) {
      throw new BadInputError('input.upToTrust', 'A level of trust is 0 to 9.')
    }
    const vault = context.use(vaultPort)
    await configurePlugin(context.db, { channel: key, config }, { plugin, vault, actor })
    await call(context.db, 'select content_check_set($1, $2, $3, $4, $5) as outcome', [
      key,
      isEnabled,
      [...new Set(kinds ?? [])],
      upToTrust ?? null,
      actor,
    ])
    return { key }
  },
  payload: (t) => ({
    check: t.prismaField({
      type: ContentCheck,
      nullable: true,
      description: 'The check, as it is now.',
      resolve: (query, { key }, _args, { db }) =>
        read(db).contentCheck.findFirst({ ...query, where: { key } }),
    }),
  }),
})
