/** What the audience language can ask of consents. */
import { BadInputError } from '../../platform/errors/index.ts'
import { definePredicate, now, objectOf, sql, word } from '../audiences/index.ts'

/**
 * `{ "consent": { "purpose": "newsletter", "channel": "email" } }`: messages of this purpose may go to the member
 * through this channel now, and would find an address: the membership has not ended, the consent is live, and an
 * address of the channel's kind is neither suppressed nor, where the purpose wants that, unverified. A purpose that
 * needs no consent asks for an address of the kind that is named as the channel.
 */
export const consentPredicate = definePredicate({
  name: 'consent',
  scope: 'consents:read',
  parse(value, field) {
    const { purpose, channel } = objectOf(value, field, ['purpose', 'channel'])
    const asked = { purpose: word(purpose, `${field}.purpose`), channel: word(channel, `${field}.channel`) }
    if (asked.purpose.length <= 100) return asked
    throw new BadInputError(`${field}.purpose`, `${field}.purpose must have at most 100 characters.`)
  },
  compile({ purpose, channel }) {
    const rule = sql`(select purpose_of(${purpose}::text))`
    const isSuppressed = sql`exists (
      select from suppression s
      where s.tenant_id = m.tenant_id and s.lifted_at is null and (s.until is null or s.until > ${now})
        and s.key in (a.key, member_channel_key(m.tenant_id, m.id, ${channel}::text)))`
    const hasAddress = sql`exists (
      select from address a
      where a.tenant_id = m.tenant_id and a.member_id = m.id and a.kind = c.kind and a.removed_at is null
        and (a.verified_at is not null or not (${rule}).requires_verified_address)
        and not ${isSuppressed})`
    return sql`m.membership <> 'ENDED' and (${channel}::text in ('inbox', 'task') or exists (
      select from (
        select k.kind from consent k
        where k.tenant_id = m.tenant_id and k.member_id = m.id and k.purpose = ${purpose}::text
          and k.channel = ${channel}::text and k.state = 'LIVE' and (${rule}).consent <> 'NONE'
        union all
        select ${channel}::text where (${rule}).consent = 'NONE'
      ) c
      where ${hasAddress}))`
  },
})
