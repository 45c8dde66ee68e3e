export { startSearchUpkeep, type Upkeep } from './upkeep.ts'
