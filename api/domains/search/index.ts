export { countTexts } from './service.ts'
export { startSearchUpkeep, type Upkeep } from './upkeep.ts'
