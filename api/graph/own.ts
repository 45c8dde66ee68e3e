import type { Context } from './context.ts'

/** The id that no member has. */
export const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * The condition under which a row is the viewer's to see: for a member's token, that it is the member's own, as
 * `own` says of the member's id; for staff and integrations, whose scopes decide, none.
 */
export function ownOnly<Where extends object>(
  { viewer }: Context,
  own: (memberId: string) => Where,
): Where[] {
  return viewer?.kind === 'MEMBER' ? [own(viewer.memberId ?? NOBODY)] : []
}
