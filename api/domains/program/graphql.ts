import { eventType, factOf } from '../../graph/events.ts'
import { programPublished } from './events.ts'

eventType(programPublished, (t) => ({
  version: t.int({
    description: 'The version in force since.',
    resolve: (event) => Number(factOf(event, 'program')),
  }),
}))
