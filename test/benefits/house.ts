import type { Shop, TestMember } from '../support/app.ts'

/** Puts an entitlement in force; anything of it may be told otherwise. */
export async function define(shop: Shop, key: string, more: object = {}) {
  const entitlement = { name: { en: 'Skin analysis', ja: '肌診断' }, kind: 'TOOL', ...more }
  return shop.do(
    'defineEntitlement',
    { key, entitlement },
    { select: 'entitlement { key name kind quota per }' },
  )
}

/** Gives an entitlement by hand; the id of the benefit. */
export async function grant(shop: Shop, { by: member }: TestMember, entitlement: object): Promise<string> {
  const input = { member, benefit: { entitlement }, reason: 'Sorry for the wait' }
  return (await shop.do('giveBenefit', input, { select: 'benefit { id }' })).benefit.id
}

/** Uses an entitlement as the tool outside does: what is left, or the refusal. */
export function use(shop: Shop, { by: member }: TestMember, key: string, more: object = {}) {
  return shop.do(
    'useEntitlement',
    { member, key, ...more },
    { as: shop.integration, select: 'left use { id }' },
  )
}

/** What a tool outside hears of a member. */
export async function check(shop: Shop, { by: member }: TestMember, key: string, token = shop.integration) {
  const query = `query ($member: MemberBy!, $key: String!) {
    checkEntitlement(member: $member, key: $key) { isAllowed reason left renewsAt endsAt } }`
  const { data, errors } = await shop.ask(token, query, { member, key })
  return errors[0] ?? data.checkEntitlement
}
