/** What the audience language can ask of benefits. */
import { definePredicate, listOf, now, sql, word } from '../audiences/index.ts'

/**
 * `{ "entitlement": ["spa"] }`: the member has one of these entitlements now, by rule or by a grant, whether or not
 * anything of it is left.
 */
export const entitlementPredicate = definePredicate({
  name: 'entitlement',
  scope: 'benefits:read',
  parse: (value, field) => listOf(value, field, word),
  compile: (keys) => sql`m.membership <> 'ENDED' and (exists (
      select from benefit_grant g
      where g.tenant_id = m.tenant_id and g.member_id = m.id and g.state = 'GIVEN'
        and g.entitlement_key = any(${keys}::text[]) and g.given_at <= ${now}
        and (g.expires_at is null or g.expires_at > ${now}))
    or exists (
      select from definition d
      join entitlement e on e.tenant_id = d.tenant_id and e.key = d.key and e.version = d.version
      where d.tenant_id = m.tenant_id and d.kind = 'entitlement' and d.is_live and d.key = any(${keys}::text[])
        and e.audience_id is not null and audience_has(e.audience_id, m.id)))`,
})
