import { idOf } from '../../graph/ids.ts'
import { read } from '../../graph/read.ts'
import type { TenantClient } from '../../platform/db.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import type { Stay } from './stickiness.store.ts'

/** The arguments of every question about a span of time. */
export const span = {
  from: { type: 'DateTime', required: true, description: 'From when, inclusive.' },
  until: { type: 'DateTime', required: true, description: 'Until when, exclusive; at most 400 days later.' },
} as const

/** Whether the span is of a space that there is, when it is of one. */
export async function isOfSpace({ space }: Stay, db: TenantClient): Promise<boolean> {
  return space === null || (await read(db).space.findFirst({ where: { id: space } })) !== null
}

/** Reads them. Throws BadInputError naming the argument. */
export function stayOf({
  from,
  until,
  space,
}: {
  from: Date
  until: Date
  space?: string | number | null | undefined
}): Stay {
  const days = (until.getTime() - from.getTime()) / 86_400_000
  if (days <= 0 || days > 400)
    throw new BadInputError('until', 'until must be later than from, by 400 days at most.')
  return { from, until, space: space == null ? null : idOf('Space', String(space), 'space') }
}
