import { addAudienceWords } from '../audiences/index.ts'
import { FreshnessBandType } from './freshness.graphql.ts'

addAudienceWords((t) => ({
  stage: t.stringList({ description: 'The member stands in one of the stages with these keys.' }),
  freshnessBand: t.field({ type: [FreshnessBandType], description: "The member's band is one of these." }),
}))
