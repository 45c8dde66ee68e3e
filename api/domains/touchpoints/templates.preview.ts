import { type Content, deliveryKey } from '@engawa/sdk'
import type { TenantClient } from '../../platform/db.ts'
import type { Channel } from '../channels/index.ts'
import type { MemberBy } from '../members/index.ts'
import { renderTouch } from './templates.render.ts'
import type { PartProblem } from './templates.say.ts'
import { readReader, type TemplateRef } from './templates.store.ts'

/** What a member would read, and how large it is in the channel's own unit; or what is in the way. */
export interface Preview {
  readonly locale: string
  readonly content?: Content
  readonly size?: number
  readonly problem?: {
    readonly message: string
    readonly part?: PartProblem['part']
    readonly line?: number
    readonly variable?: string
  }
}

/** What is to be shown, to whom and through what. */
export interface PreviewRequest {
  readonly ref: TemplateRef
  readonly member: MemberBy
  readonly channel: Channel
  readonly parameters: object
}

/** The key under which a preview is prepared: nothing goes out under it. */
const NO_KEY = deliveryKey('00000000-0000-0000-0000-000000000000')

/** Writes a template out for a member, and has the channel prepare it. Null without such a template or member. */
export async function previewTemplate(
  tx: TenantClient,
  { ref, member, channel, parameters }: PreviewRequest,
): Promise<Preview | null> {
  const reader = await readReader(tx, member, channel.kind)
  if (!reader) return null
  const rendering = await renderTouch(tx, { ...ref, parameters }, reader.id, channel.kind)
  if ('missing' in rendering) return null
  const { locale } = rendering
  if (!rendering.ok) return { locale, problem: rendering.problem }
  const { content } = rendering
  const address = channel.hasOwnAddress ? reader.id : reader.address
  if (address == null)
    return { locale, content, problem: { message: 'The member has no address for this channel.' } }
  const opened = await channel.open(tx.tenantId)
  const prepared = opened.ok
    ? await opened.channel.prepare(content, address, { key: NO_KEY, locale })
    : opened
  if (prepared.ok) return { locale, content, size: prepared.size }
  const { detail } = prepared.fault
  return { locale, content, problem: { message: detail ?? 'The channel cannot take it.' } }
}
