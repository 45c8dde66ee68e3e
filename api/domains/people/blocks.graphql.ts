import { idOf } from '../../graph/ids.ts'
import { mutation } from '../../graph/mutation.ts'
import { NotFoundError } from '../../platform/errors/index.ts'
import { MemberByInput, ownOrWrites } from '../members/index.ts'
import { setBlock } from './blocks.ts'
import { eyesOf } from './people.graphql.ts'

mutation('blockMember', {
  description:
    "Blocks another member: neither reads, finds or writes to the other any more; or mutes it, so that this one alone is spared the other. Needs: a member's token, for its own, or `messages:write`. Emits: nothing.",
  scopes: ownOrWrites('messages:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who blocks; a member itself when left out.' }),
    other: t.id({ required: true, description: 'The other member.' }),
    isMute: t.boolean({ description: 'True: the other one goes on reading. False when left out.' }),
  }),
  resolve: async ({ member, other, isMute }, context) => {
    const who = await eyesOf(member, context, 'input.member')
    if (who === null) throw new NotFoundError('member')
    await setBlock(context.db, who, {
      other: idOf('Member', other, 'input.other'),
      isMute: isMute ?? false,
      isOn: true,
    })
    return { isBlocked: true }
  },
  payload: (t) => ({
    isBlocked: t.exposeBoolean('isBlocked', { description: 'Whether it is blocked or muted now.' }),
  }),
})

mutation('unblockMember', {
  description:
    "Ends that another member is blocked or muted. Needs: a member's token, for its own, or `messages:write`. Emits: nothing.",
  scopes: ownOrWrites('messages:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: 'Who blocked; a member itself when left out.' }),
    other: t.id({ required: true, description: 'The other member.' }),
  }),
  resolve: async ({ member, other }, context) => {
    const who = await eyesOf(member, context, 'input.member')
    if (who === null) throw new NotFoundError('member')
    await setBlock(context.db, who, {
      other: idOf('Member', other, 'input.other'),
      isMute: false,
      isOn: false,
    })
    return { isBlocked: false }
  },
  payload: (t) => ({
    isBlocked: t.exposeBoolean('isBlocked', { description: 'Whether it is blocked or muted now.' }),
  }),
})
