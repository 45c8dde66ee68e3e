/** Texts made ready to be compared and found: one way for all that is stored and all that is asked. */
export { FOLDING_VERSION, folded, normalised } from './folding.ts'
export { readable } from './reading.ts'
export { type SearchQuery, type SearchText, searchQuery, searchText } from './search-text.ts'
