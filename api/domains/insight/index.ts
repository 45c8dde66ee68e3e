export { supportLevelPart } from './service.ts'
