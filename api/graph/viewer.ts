import { addIssuer, revokeTokens } from '../platform/auth/index.ts'
import { BadInputError } from '../platform/errors/index.ts'
import type { Tenant as TenantRow } from '../platform/tenancy.ts'
import { builder } from './builder.ts'
import type { ContextViewer } from './context.ts'
import { mutation } from './mutation.ts'

const ViewerKindType = builder.enumType('ViewerKind', {
  description: 'What kind of caller a token speaks for.',
  values: {
    MEMBER: { description: 'A member, reading what is its own.' },
    STAFF: { description: 'Somebody who works for the tenant.' },
    INTEGRATION: { description: 'A program of the tenant.' },
  },
})

/** A brand running a program. */
export const Tenant = builder.objectRef<TenantRow>('Tenant').implement({
  description: 'A brand running a program.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its short name, which never changes.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
    timeZone: t.expose('timeZone', {
      type: 'TimeZone',
      description: 'Its time zone; days and month ends are its own.',
    }),
    locale: t.exposeString('locale', { description: 'Its language, as a BCP 47 tag.' }),
    now: t.field({
      type: 'DateTime',
      description: 'What its clock says: the present, or where its test clock stands.',
      resolve: (_tenant, _args, context) => context.now(),
    }),
  }),
})

/** Who asks. The owner of members adds `member`. */
export const ViewerType = builder.objectRef<ContextViewer>('Viewer').implement({
  description: 'Who the token speaks for.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ViewerKindType, description: 'What kind of caller it is.' }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant it belongs to.',
      resolve: ({ tenant }) => tenant,
    }),
    scopes: t.stringList({
      description: 'What a staff or integration token may do. At most 50; empty for members.',
      resolve: ({ scopes }) => [...scopes].sort().slice(0, 50),
    }),
    asOf: t.field({
      type: 'Cursor',
      description: 'A place in the log no later than anything else in this answer: follow events after it.',
      resolve: (_viewer, _args, context) => context.asOf(),
    }),
  }),
})

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerType,
    nullable: true,
    description: 'Who the token speaks for; null when anonymous.',
    resolve: (_root, _args, { viewer }) => viewer,
  }),
)

const TokenSubject = builder.inputType('TokenSubject', {
  description: 'Whoever tokens are issued to.',
  fields: (t) => ({
    kind: t.field({ type: ViewerKindType, required: true, description: 'The kind of caller.' }),
    sub: t.string({ required: true, description: "The tokens' `sub`; a member's external id." }),
  }),
})

mutation('revokeTokens', {
  description:
    'Refuses a token, or every token issued to a subject until now; open sockets close within 5 seconds. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  isOneOf: true,
  key: 'none',
  input: (t) => ({
    jti: t.string({ description: "The token's own id." }),
    subject: t.field({ type: TokenSubject, description: 'Whose tokens.' }),
  }),
  resolve: async ({ jti, subject }, context) => {
    if (jti != null) await revokeTokens(context.db, { jti })
    else if (subject != null) await revokeTokens(context.db, { subject })
    else throw new BadInputError('input', 'Give jti or subject.')
    await context.refreshAuth()
    return { isDone: true }
  },
  payload: (t) => ({ isDone: t.exposeBoolean('isDone', { description: 'Always true.' }) }),
})

mutation('addIssuer', {
  description:
    'Trusts an issuer of tokens for this tenant. From the first one on, development tokens are refused. Needs: `settings`. Emits: nothing.',
  scopes: { staff: 'settings' },
  errors: [],
  key: 'none',
  noDryRun: 'It asks the issuer for its keys.',
  input: (t) => ({
    issuer: t.string({ required: true, description: "The tokens' `iss`." }),
    audience: t.string({ required: true, description: "The tokens' `aud`." }),
    jwksUrl: t.string({ description: 'Where the public keys are; give this or jwks.' }),
    jwks: t.field({ type: 'JSON', description: 'The public keys themselves, as a JSON Web Key Set.' }),
    algorithms: t.stringList({
      required: true,
      description: 'The signature algorithms to accept, such as ES256.',
    }),
  }),
  resolve: async (input, context) => {
    await addIssuer(context.db, input, context.egress)
    await context.refreshAuth()
    return { isDone: true }
  },
  payload: (t) => ({ isDone: t.exposeBoolean('isDone', { description: 'Always true.' }) }),
})
