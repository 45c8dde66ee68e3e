export { Referral } from './graphql.ts'
export { referralProgramPart } from './part.ts'
export { settleReferrals } from './service.ts'
export { ReferralSignals, signalsPort } from './signals.ts'
