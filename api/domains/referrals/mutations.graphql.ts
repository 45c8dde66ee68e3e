import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import {
  IdempotencyKeyReusedError,
  MembershipEndedError,
  ReferralClosedError,
  ReferralRefusedError,
} from '../../platform/errors/index.ts'
import { MemberByInput, memberOf, memberRef, ownOrWrites, subjectOf } from '../members/index.ts'
import { ReferralState, referralOf } from './graphql.ts'
import { ReferralProgramInput } from './input.graphql.ts'
import { referralProgramPart } from './part.ts'
import { claimReferral, decideReferral, noteSignals, publishProgram } from './service.ts'
import { signalsPort } from './signals.ts'

const ReferralSignalsInput = builder.inputType('ReferralSignalsInput', {
  description:
    'What a member was seen with, each as the shop knows it and of 1 to 500 characters. Kept as digests alone, for 90 days.',
  fields: (t) => ({
    paymentFingerprint: t.string({ description: 'What a card or account is known by. A strong signal.' }),
    device: t.string({ description: 'What a device is known by. A strong signal.' }),
    cookie: t.string({ description: 'What a browser is known by. A strong signal.' }),
    ip: t.string({ description: 'An address of the network. A weak signal.' }),
    address: t.string({ description: 'Where things are sent. A weak signal.' }),
  }),
})

mutation('defineReferralProgram', {
  description:
    'Puts a referral program into force as its next version; the same once more changes nothing. Claims keep their version. Needs: `program:write`. Emits: `program.published`.',
  scopes: { staff: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'The name that programs use; 1 to 100 characters.' }),
    program: t.field({ type: ReferralProgramInput, required: true, description: 'The referral program.' }),
  }),
  resolve: ({ key, program }, { db }, op) =>
    publishProgram(
      db,
      { key: text(key, 'input.key', 100), program: referralProgramPart.read(program, 'input.program') },
      op,
    ),
  payload: (t) => ({ key: t.exposeString('key', { description: 'Its key.' }) }),
})

mutation('retireReferralProgram', {
  description:
    'Takes a referral program out of force. Claims go on as they were. Needs: `program:write`. Emits: `program.published`.',
  scopes: { staff: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({ key: t.string({ required: true, description: 'Which program.' }) }),
  resolve: ({ key }, { db }, op) =>
    publishProgram(db, { key: text(key, 'input.key', 100), program: null }, op),
  payload: (t) => ({ key: t.exposeString('key', { description: 'Its key.' }) }),
})

mutation('claimReferral', {
  description:
    "Says by whose code a new member came. Blocked, or put before somebody, when one person seems to be behind both sides. Needs: a member's token, for its own, or `referrals:write`. Emits: `referral.claimed`, `referral.rejected`.",
  scopes: ownOrWrites('referrals:write'),
  errors: [IdempotencyKeyReusedError, ReferralRefusedError, MembershipEndedError],
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "The friend; a member's own when left out." }),
    code: t.string({ required: true, description: 'The code of whoever recommended the shop.' }),
    program: t.string({ description: 'The key of the program; the one in force when left out.' }),
    signals: t.field({ type: ReferralSignalsInput, description: 'What the friend was seen with.' }),
  }),
  resolve: ({ member, code, program, signals }, context, op) => {
    const { db } = context
    const port = context.use(signalsPort)
    const claim = {
      member: subjectOf(member, context),
      code: text(code, 'input.code', 50),
      program: program == null ? null : text(program, 'input.program', 100),
      signals: port.of(db.tenantId, signals ?? {}, 'input.signals'),
    }
    return claimReferral(db, claim, { ...op, hash: port.seal(db.tenantId, op.hash) })
  },
  payload: (t) => ({ referral: referralOf(t), member: memberOf(t) }),
})

mutation('noteReferralSignals', {
  description:
    'Keeps what a member was seen with, as at a checkout, and looks at its unpaid claims again. Needs: `referrals:write`. Emits: `referral.rejected`.',
  scopes: { writes: 'referrals:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, required: true, description: 'Who was seen.' }),
    signals: t.field({ type: ReferralSignalsInput, required: true, description: 'What with.' }),
  }),
  resolve: ({ member, signals }, { db, use }, { actor }) =>
    noteSignals(db, memberRef(member, 'input.member'), {
      signals: use(signalsPort).of(db.tenantId, signals, 'input.signals'),
      actor,
    }),
  payload: (t) => ({ member: memberOf(t) }),
})

for (const [name, verb, isApproved] of [
  ['approveReferral', 'Lets a claim under review go on', true],
  ['rejectReferral', 'Ends a claim under review', false],
] as const) {
  mutation(name, {
    description: `${verb}. Needs: \`referrals:write\`. Emits: \`referral.qualified\`, \`referral.rejected\`.`,
    scopes: { staff: 'referrals:write' },
    errors: [IdempotencyKeyReusedError, ReferralClosedError],
    input: (t) => ({
      referral: t.id({ required: true, description: 'Which claim.' }),
      reason: t.string({ description: 'Why, for the history; 1 to 200 characters.' }),
    }),
    resolve: ({ referral, reason }, { db }, op) =>
      decideReferral(
        db,
        {
          referral: idOf('Referral', referral, 'input.referral'),
          isApproved,
          reason: reason == null ? null : text(reason, 'input.reason', 200),
        },
        op,
      ),
    payload: (t) => ({ referral: referralOf(t), member: memberOf(t) }),
  })
}

const ReferralRefusal = builder.enumType('ReferralRefusal', {
  description: 'Why a referral cannot be claimed.',
  values: {
    SELF: { description: 'Nobody recommends the shop to itself.' },
    ALREADY_REFERRED: { description: 'The member has said who recommended the shop.' },
    NOT_NEW: { description: 'The member has bought before, or has been one for too long.' },
    KNOWN_BEFORE: { description: 'The member was there before whoever recommended the shop.' },
    CLOSED: { description: 'The program is not open now, or the referrer has left.' },
    TOO_MANY_CLAIMS: { description: 'The code was claimed too often in too short a time.' },
    LIMIT_REACHED: { description: 'The referrer has brought as many as count, for now.' },
  },
})

builder.objectField(ReferralRefusedError, 'reason', (t) =>
  t.field({ type: ReferralRefusal, description: 'Why.', resolve: ({ reason }) => reason }),
)
builder.objectField(ReferralClosedError, 'state', (t) =>
  t.field({ type: ReferralState, description: 'How the referral stands.', resolve: ({ state }) => state }),
)
