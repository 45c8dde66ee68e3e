export { readBody } from './body.ts'
export { type Definition, type Document, documentText, readDocument } from './document.ts'
export { definePart, type Part, registerParts } from './parts.ts'
export { ProgramChange } from './program.graphql.ts'
export { type Changed, type Entry, type Publication, publish } from './service.ts'
export {
  type Change,
  diffOf,
  documentAt,
  draftOf,
  entriesOf,
  importProgram,
  kinds,
  readVersion,
} from './whole.ts'
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
