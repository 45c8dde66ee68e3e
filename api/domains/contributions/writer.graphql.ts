import type { Context } from '../../graph/context.ts'
import { NotFoundError } from '../../platform/errors/index.ts'
import type { Writer } from './service.ts'

/** The writer behind a request. Throws NotFoundError for a member's token without a member. */
export function writerOf({ viewer }: Context): Writer {
  if (viewer?.kind !== 'MEMBER') return { member: null, actor: viewer?.actor ?? '' }
  if (viewer.memberId === null) throw new NotFoundError('member')
  return { member: viewer.memberId, actor: viewer.actor }
}

/** The viewer's member (uuid): only members react, follow and read. Throws NotFoundError. */
export function selfOf({ viewer }: Context): string {
  if (viewer?.memberId == null) throw new NotFoundError('member')
  return viewer.memberId
}
