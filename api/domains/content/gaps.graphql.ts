import { builder } from '../../graph/builder.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { type MatrixCell, readMatrix } from './store.ts'

const ContentMatrixCell = builder.objectRef<MatrixCell>('ContentMatrixCell').implement({
  description: 'How much published content fits one stage, product and persona.',
  fields: (t) => ({
    stage: t.exposeString('stage', { description: 'The key of the stage.' }),
    sku: t.exposeString('sku', { nullable: true, description: 'The product; null when none is told apart.' }),
    persona: t.exposeString('persona', {
      nullable: true,
      description: 'The sort of people; null when none is told apart.',
    }),
    fitting: t.exposeInt('fitting', {
      description: 'How many items fit: what names no product fits all of them.',
    }),
    isGap: t.boolean({ description: 'Whether there is none.', resolve: ({ fitting }) => fitting === 0 }),
  }),
})

builder.queryField('contentMatrix', (t) =>
  t.field({
    type: [ContentMatrixCell],
    nullable: true,
    description:
      'How much published content there is for each stage of the lifecycle, product and persona, and where there is none. At most 10,000.',
    authScopes: { lists: 'community:read' },
    args: {
      skus: t.arg.stringList({
        description: 'Which products; those that content names when left out. At most 50.',
      }),
      personas: t.arg.stringList({
        description: 'Which sorts of people; those that content names when left out. At most 20.',
      }),
      gapsOnly: t.arg.boolean({ description: 'True: only where there is none.' }),
    },
    resolve: async (_root, { skus, personas, gapsOnly }, { db }) => {
      atMost(skus ?? [], 50, 'skus')
      atMost(personas ?? [], 20, 'personas')
      const cells = await readMatrix(db, skus ?? [], personas ?? [])
      return cells.filter(({ fitting }) => !gapsOnly || fitting === 0)
    },
  }),
)

function atMost(list: readonly string[], most: number, field: string): void {
  if (list.length > most)
    throw new BadInputError(field, `${field} may hold at most ${most}; there are ${list.length}.`)
}
