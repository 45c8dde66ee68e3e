import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { DenialReason } from '../../graph/errors/index.ts'
import { decodeId } from '../../graph/ids.ts'
import { loader } from '../../graph/load.ts'
import { ViewerType } from '../../graph/viewer.ts'
import { Space } from '../spaces/index.ts'
import { contributionRef } from './graphql.ts'
import { type Action, type Permission as Facts, REFUSED, readPermissions, type Wish } from './permissions.ts'

/** What the token of staff or of an integration needs for it; nobody but members reacts. */
const SCOPES: Readonly<Record<Action, string | null>> = {
  SEE: 'community:read',
  POST: 'community:write',
  REPLY: 'community:write',
  REACT: null,
  EDIT: 'community:write',
  MODERATE: 'community:moderate',
}

const ActionType = builder.enumType('SpaceAction', {
  description: 'What one may want to do with a space, or with something written in it.',
  values: {
    SEE: { description: 'To see it.' },
    POST: { description: 'To begin something in its space.' },
    REPLY: { description: 'To comment on it, or to answer; in a space: on anything that is not closed.' },
    REACT: { description: 'To react. For members.' },
    EDIT: { description: 'To change what was written.' },
    MODERATE: { description: 'To look after the space.' },
  },
})

const Permission = builder.objectRef<Facts>('Permission').implement({
  description: 'Whether one may do something: what a mutation that tried it would be answered now.',
  fields: (t) => ({
    isAllowed: t.exposeBoolean('isAllowed', { description: 'Whether one may.' }),
    reason: t.expose('reason', {
      type: DenialReason,
      nullable: true,
      description: 'Why not; null when one may, and where a token lacks the scope.',
    }),
    unlock: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The audience rule that would open it, as AudienceInput writes it; null when no rule decides.',
      resolve: ({ unlock }) => unlock,
    }),
    retryAfter: t.exposeInt('retryAfter', {
      nullable: true,
      description: 'In how many seconds it may be tried again; null when waiting does not help.',
    }),
  }),
})

const permissions = loader<string, Facts | null>((keys, { db, viewer }) => {
  const wishes = keys.map((key) => {
    const [action, resource = ''] = key.split(' ')
    return { action: action as Action, resource } // as permissionOf writes it
  })
  return readPermissions(db, viewer?.memberId ?? null, wishes)
})

async function permissionOf(context: Context, { action, resource }: Wish): Promise<Facts | null> {
  if (context.viewer?.kind === 'MEMBER' && context.viewer.memberId === null) return null // nobody yet
  const known = await permissions(context, `${action} ${resource}`)
  if (known === null || context.viewer?.kind === 'MEMBER') return known
  const scope = SCOPES[action]
  const hasScope = scope !== null && context.viewer?.can(scope) === true
  return hasScope ? known : REFUSED
}

builder.objectField(ViewerType, 'can', (t) =>
  t.field({
    type: Permission,
    nullable: true,
    description:
      'Whether the viewer may do something with a space or with something written in one, and if not, why and what would let it; null when there is nothing like it for the viewer. Rules of one thing, such as a poll that is over, are told by it; how often one may write, by the mutation.',
    authScopes: { reads: 'community:read' },
    args: {
      action: t.arg({ type: ActionType, required: true, description: 'What it wants to do.' }),
      resource: t.arg.id({ required: true, description: 'The id of the space, or of what is written.' }),
    },
    resolve: (_viewer, { action, resource }, context) => {
      const { typename, id } = decodeId(resource, 'resource')
      return permissionOf(context, {
        action,
        resource: typename === 'Space' ? id : contributionRef(resource, 'resource'),
      })
    },
  }),
)

builder.prismaObjectField(Space, 'viewerCan', (t) =>
  t.field({
    type: Permission,
    nullable: true,
    description:
      'The same as `viewer { can }` for this space: whether the viewer may do something in it, and if not, why.',
    args: { action: t.arg({ type: ActionType, required: true, description: 'What it wants to do.' }) },
    select: { id: true },
    resolve: ({ id }, { action }, context) => permissionOf(context, { action, resource: id }),
  }),
)
