export { Benefit, bare } from './benefit.ts'
export { amount, amountOrZero, currency, duration, instant, key, optional, text } from './words.ts'
