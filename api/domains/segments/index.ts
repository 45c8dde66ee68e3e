export { segmentPredicate } from './audience.ts'
export { segmentPart, settleSegments } from './service.ts'
