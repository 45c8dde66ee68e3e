export { writePost } from './service.ts'
