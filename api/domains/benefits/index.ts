export { Benefit, bare } from './benefit.ts'
