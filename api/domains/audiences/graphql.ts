import type { InputFieldMap } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'

type InputBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>

const words: ((t: InputBuilder) => InputFieldMap)[] = []

/** Adds words to `AudienceInput`. The owner of the data does, with the names of its predicates. */
export function addAudienceWords(fields: (t: InputBuilder) => InputFieldMap): void {
  words.push(fields)
}

/** `AudienceInput` of the API; `parseRule` reads what comes in by it. */
export const AudienceInput = builder.inputRef<object, false>('AudienceInput').implement({
  description:
    'A rule that a member matches or not. Give exactly one field; all, any and not nest up to 10 deep.',
  isOneOf: true,
  fields: (t): InputFieldMap => ({
    all: t.field({
      type: [AudienceInput],
      description: 'Matches who matches each of these; an empty list is everybody.',
    }),
    any: t.field({
      type: [AudienceInput],
      description: 'Matches who matches one of these; an empty list is nobody.',
    }),
    not: t.field({ type: AudienceInput, description: 'Matches whoever this does not.' }),
    ...Object.assign({}, ...words.map((fields) => fields(t))),
  }),
})
