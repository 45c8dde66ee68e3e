import { CODES, type Problem, ProgramChangedError, ProgramInvalidError } from '../../platform/errors/index.ts'
import { builder } from '../builder.ts'
import { ErrorInterface } from './failure.ts'

/** What is wrong with one place of a program. */
export const ProgramProblem = builder.objectRef<Problem>('ProgramProblem').implement({
  description: 'What is wrong with one place of a program.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where it stands, as in `document.offers.spring.reward`.' }),
    message: t.exposeString('message', { description: 'What would be right.' }),
  }),
})

builder.objectType(ProgramInvalidError, {
  name: 'ProgramInvalidError',
  description: CODES.PROGRAM_INVALID.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [ProgramProblem],
      nullable: true,
      description: 'Everything that is wrong. At most 100.',
      resolve: ({ problems }) => problems.slice(0, 100),
    }),
  }),
})

builder.objectType(ProgramChangedError, {
  name: 'ProgramChangedError',
  description: CODES.PROGRAM_CHANGED.when,
  interfaces: [ErrorInterface],
  fields: (t) => ({
    expected: t.exposeInt('expected', { description: 'The version that was expected.' }),
    version: t.exposeInt('version', { description: 'The version in force.' }),
  }),
})
