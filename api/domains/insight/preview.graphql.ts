import { builder } from '../../graph/builder.ts'
import type { FieldCost } from '../../graph/cost.ts'
import { ProgramProblem } from '../../graph/errors/index.ts'
import { UnauthenticatedError } from '../../platform/errors/index.ts'
import { ProgramChange } from '../program/index.ts'
import type { LadderMove } from '../tiers/index.ts'
import { WARNINGS, type Warning } from './lint.ts'
import { type Preview, previewProgram } from './preview.ts'

const WarningCodeType = builder.enumType('ProgramWarningCode', {
  description: 'What a warning is about.',
  values: Object.fromEntries(
    Object.entries(WARNINGS).map(([code, description]) => [code, { description }]),
  ) as Record<keyof typeof WARNINGS, { description: string }>, // the same keys
})

const WarningType = builder.objectRef<Warning>('ProgramWarning').implement({
  description: 'Something about a program that is allowed and rarely meant.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where it stands, as in `document.coupons.spring`.' }),
    code: t.expose('code', { type: WarningCodeType, description: 'What it is about.' }),
    message: t.exposeString('message', { description: 'The same in a sentence.' }),
    source: t.exposeString('source', {
      nullable: true,
      description: 'Where a limit of law comes from; no advice of law.',
    }),
  }),
})

const TierMoveType = builder.objectRef<LadderMove>('ProgramTierMove').implement({
  description: 'Members whom a ladder of a draft would move from one tier to another.',
  fields: (t) => ({
    ladder: t.exposeString('ladder', { description: 'The key of the ladder.' }),
    from: t.exposeString('from', { nullable: true, description: 'The key of the tier now; null: none.' }),
    to: t.exposeString('to', { nullable: true, description: 'The key of the tier then; null: none.' }),
    members: t.exposeInt('members', { description: 'How many.' }),
  }),
})

const PreviewType = builder.objectRef<Preview>('ProgramPreview').implement({
  description: 'What publishing a draft would come to.',
  fields: (t) => ({
    changes: t.field({
      type: [ProgramChange],
      nullable: true,
      description: 'What it would change; empty while it has problems. At most 1000.',
      resolve: ({ changes }) => changes.slice(0, 1_000),
    }),
    problems: t.field({
      type: [ProgramProblem],
      nullable: true,
      description: 'Why it would be refused, all of it. At most 100.',
      resolve: ({ problems }) => problems.slice(0, 100),
    }),
    warnings: t.field({
      type: [WarningType],
      nullable: true,
      description: 'What is worth a second look. At most 100.',
      resolve: ({ warnings }) => warnings.slice(0, 100),
    }),
    tierMoves: t.field({
      type: [TierMoveType],
      nullable: true,
      description:
        'Whom its ladders that are new or changed would move if it came into force now, highest tiers first. At most 1000.',
      resolve: ({ tierMoves }) => tierMoves.slice(0, 1_000),
    }),
  }),
})

builder.queryField('previewProgram', (t) =>
  t.field({
    type: PreviewType,
    nullable: true,
    description:
      'What publishing a draft would change, why it would be refused, and what is worth a second look.',
    authScopes: { lists: 'program:read' },
    args: {
      document: t.arg({
        type: 'JSON',
        required: true,
        description: 'The whole program; what `importProgram` takes.',
      }),
    },
    extensions: { cost: { own: 100 } satisfies FieldCost },
    resolve: async (_root, { document }, { db, viewer, now }) => {
      if (!viewer) throw new UnauthenticatedError()
      return previewProgram(db, document, { now: await now(), timeZone: viewer.tenant.timeZone })
    },
  }),
)
