/** The expected failures as types of the API, by what they are about, as in `api/platform/errors`. */
import './loyalty.ts'
import './members.ts'
import './points.ts'

export { DenialReason } from './community.ts'
export type { DomainErrorClass } from './failure.ts'
export { ProgramProblem } from './program.ts'
