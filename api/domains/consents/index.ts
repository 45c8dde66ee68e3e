export { Links, linksPort } from './links.ts'
export { memberPages } from './pages.ts'
