// Each room adds its part of the graph; nothing is defined here.
import './graph/errors.ts'
import './graph/relay.ts'
import './graph/viewer.ts'
import './graph/live.ts'
import './domains/members/audience.graphql.ts'
import './domains/members/graphql.ts'
import './domains/points/events.graphql.ts'
import './domains/points/graphql.ts'
import './domains/points/postings.graphql.ts'
import './domains/points/mutations.graphql.ts'
import './domains/lifecycle/audience.graphql.ts'
import './domains/lifecycle/freshness.graphql.ts'
import './domains/lifecycle/graphql.ts'
import './domains/lifecycle/members.graphql.ts'
import './domains/touchpoints/graphql.ts'
import './domains/touchpoints/policy.graphql.ts'
import './domains/purchases/audience.graphql.ts'
import './domains/purchases/graphql.ts'
import './domains/purchases/timeline.graphql.ts'
import { builder } from './graph/builder.ts'

/** The public API. */
export const schema = builder.toSchema()
