/** Texts made ready to be compared and found: one way for all that is stored and all that is asked. */
export { FOLDING_VERSION, folded, normalised } from './folding.ts'
export {
  type Likeness,
  likenessOf,
  type SearchQuery,
  type SearchText,
  searchQuery,
  searchText,
} from './search-text.ts'
