export { readBody } from './body.ts'
export { definePart, type Part, partOf, parts, registerParts } from './parts.ts'
export { type Changed, type Entry, type Publication, publish } from './service.ts'
export {
  amount,
  amountOrZero,
  bare,
  duration,
  instant,
  key,
  moneyCurrency,
  optional,
  pointsCurrency,
  secondsOf,
  text,
} from './words.ts'
