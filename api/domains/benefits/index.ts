export { Benefit, bare } from './benefit.ts'
export {
  amount,
  amountOrZero,
  currency,
  duration,
  instant,
  key,
  optional,
  pointsCurrency,
  text,
} from './words.ts'
