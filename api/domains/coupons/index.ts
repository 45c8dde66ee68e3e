export { checkPrefix } from './codes.ts'
export { sealedCouponKeys } from './keys.ts'
export { campaignPart, couponPart } from './parts.ts'
export { CODES_AT_ONCE, makeCoupons, settleCoupons } from './service.ts'
