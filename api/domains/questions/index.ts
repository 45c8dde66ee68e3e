export { Export } from './export-files.ts'
export { BrokenExportError } from './export-rows.ts'
export { questionSpaces } from './import.store.ts'
export { type ImportSum, importQuestions, missingFiles } from './import.ts'
