export { exportDocument } from './export.ts'
