import { addAudienceWords } from '../audiences/index.ts'

addAudienceWords((t) => ({
  entitlement: t.stringList({
    description: 'The member has one of the entitlements with these keys now, by rule or by grant.',
  }),
}))
