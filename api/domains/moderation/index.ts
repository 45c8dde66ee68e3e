export { moderationPart, watchedWordsPart } from './part.ts'
