import { builder } from '../../graph/builder.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { BadInputError, IdempotencyKeyReusedError, type Outcome, raise } from '../../platform/errors/index.ts'
import { call } from '../../platform/operation.ts'
import { checkPurpose } from '../consents/index.ts'
import { memberOf } from '../members/index.ts'
import { assetLinksPort, LINK_SECONDS } from './asset-links.ts'

interface Registered {
  readonly member: string
  readonly asset: string
  readonly is_new: boolean
  readonly state: string
}

const TouchInput = builder.inputType('ProspectTouchInput', {
  description: 'What somebody is told first.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'Its title; 1 to 200 characters.' }),
    body: t.string({ required: true, description: 'What it says; 1 to 5,000 characters.' }),
  }),
})

mutation('registerProspect', {
  description:
    'Hands a file out to somebody who filled in a form, and keeps who that is, with the consent that the form asked for. Whoever is known by the address is that member; others become members in the first stage. Where the purpose wants consent confirmed, the question is the first touch. Needs: `members:write`. Emits: `member.registered`, `consent.changed`, `touchpoint.planned`.',
  scopes: { writes: 'members:write' },
  errors: [IdempotencyKeyReusedError],
  input: (t) => ({
    asset: t.id({ required: true, description: 'Which file; one of `downloads`.' }),
    email: t.string({ required: true, description: 'The e-mail address that was given.' }),
    displayName: t.string({ required: true, description: 'The name to greet them with.' }),
    locale: t.string({ description: "A BCP 47 tag; the tenant's when left out." }),
    purpose: t.string({ required: true, description: 'What was agreed to, such as newsletter.' }),
    textVersion: t.string({ required: true, description: 'The version of the text that they read.' }),
    proof: t.field({ type: 'JSON', description: 'What proves it, as a JSON object.' }),
    touch: t.field({
      type: TouchInput,
      description: 'What they are told first by e-mail, once the consent is live.',
    }),
  }),
  resolve: async ({ asset, email, displayName, locale, touch, ...given }, { db }, { key, hash, actor }) => {
    if (email.length > 254 || !/^[^\s@]+@[^\s@]+$/.test(email)) {
      throw new BadInputError('input.email', 'An e-mail address looks like name@example.com.')
    }
    if (locale != null && !/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(locale)) {
      throw new BadInputError('input.locale', 'A locale is a BCP 47 tag such as ja or en-GB.')
    }
    checkPurpose(given.purpose)
    if (given.proof != null && JSON.stringify(given.proof).length > 8192) {
      throw new BadInputError('input.proof', 'A proof holds at most 8,192 bytes of JSON.')
    }
    if (given.proof != null && (typeof given.proof !== 'object' || Array.isArray(given.proof))) {
      throw new BadInputError('input.proof', 'A proof is a JSON object of names and values.')
    }
    const what = {
      ...{ asset: idOf('Asset', asset, 'input.asset'), email, locale: locale ?? null },
      ...{ purpose: given.purpose, channel: 'email', kind: 'email', proof: given.proof ?? {} },
      name: text(displayName, 'input.displayName', 200),
      textVersion: text(given.textVersion, 'input.textVersion', 200),
      touch: touch && {
        title: text(touch.title, 'input.touch.title', 200),
        body: text(touch.body, 'input.touch.body', 5000),
      },
    }
    return raise(
      await call<Outcome<Registered>>(db, 'select prospect_register($1, $2, $3, $4) as outcome', [
        ...[key, hash, JSON.stringify(what), actor],
      ]),
    )
  },
  payload: (t) => ({
    member: memberOf(t),
    isNew: t.exposeBoolean('is_new', { description: 'Whether nobody was known by the address.' }),
    isConfirmed: t.boolean({
      description: 'Whether the consent is live; false: they were asked to confirm it.',
      resolve: ({ state }) => state === 'LIVE',
    }),
    url: t.string({
      description: 'Where the file is fetched, for 15 minutes and by whoever has the address.',
      resolve: async ({ asset }, _args, context) =>
        context.use(assetLinksPort).assetUrl({
          ...{ tenant: context.db.tenantId, asset, member: null },
          until: new Date((await context.now()).getTime() + LINK_SECONDS.asset * 1000),
        }),
    }),
  }),
})

mutation('upgradeProspect', {
  description:
    "Gives whoever came in by a download the tenant's own id for the person: the same member from then on, with all that is known of it. Needs: `members:write`. Emits: `member.updated`.",
  scopes: { writes: 'members:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.id({ required: true, description: 'Which member.' }),
    becomes: t.string({
      required: true,
      description: "The tenant's own id for the person; 1 to 200 characters.",
    }),
  }),
  resolve: async ({ member, becomes }, { db }) =>
    raise(
      await call<Outcome<{ readonly member: string }>>(db, 'select prospect_upgrade($1, $2) as outcome', [
        ...[idOf('Member', member, 'input.member'), text(becomes, 'input.becomes', 200)],
      ]),
    ),
  payload: (t) => ({ member: memberOf(t) }),
})
