import { addAudienceWords } from '../audiences/index.ts'

addAudienceWords((t) => ({
  trust: t.int({ description: 'The member is trusted so far or farther: a level from 1 to 9.' }),
}))
