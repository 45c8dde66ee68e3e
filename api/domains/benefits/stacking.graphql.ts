import { builder } from '../../graph/builder.ts'
import { mutation } from '../../graph/mutation.ts'
import { publish } from '../program/index.ts'
import { PURCHASE, stackingPart } from './stacking.part.ts'

const StackingBase = builder.enumType('StackingBase', {
  description: 'What percentages are of.',
  values: {
    ORIGINAL: { description: 'The amounts before any discount.' },
    RUNNING: { description: 'What the discounts before have left.' },
  },
})

const StackingRounding = builder.enumType('StackingRounding', {
  description: 'How an amount that is no whole minor unit becomes one.',
  values: {
    DOWN: { description: 'To the lower.' },
    UP: { description: 'To the higher.' },
    HALF_UP: { description: 'To the nearest, the half to the higher.' },
    HALF_EVEN: { description: 'To the nearest, the half to the even one.' },
  },
})

const StackingCategoryInput = builder.inputType('StackingCategoryInput', {
  description: 'A category of discounts.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: 'Its name: offer, coupon, reward, or benefit for everything else.',
    }),
    order: t.int({ required: true, description: 'Lower is taken first; 0 to 1000.' }),
    onBase: t.field({ type: StackingBase, description: 'What percentages are of; RUNNING when left out.' }),
    isExclusive: t.boolean({ description: 'Whether a discount of it stands alone.' }),
    excludes: t.stringList({ description: 'Categories that it does not go together with. At most 30.' }),
    most: t.int({ description: 'How many of it count; any number when left out.' }),
  }),
})

const StackingFloorInput = builder.inputType('StackingFloorInput', {
  description: 'What is paid at least: the more of both.',
  fields: (t) => ({
    minor: t.field({ type: 'Minor', description: "Minor units of the purchase's currency." }),
    basisPoints: t.int({ description: 'Hundredths of a percent of the purchase, rounded up.' }),
  }),
})

const StackingInput = builder.inputType('StackingInput', {
  description: 'Which discounts go together, and how.',
  fields: (t) => ({
    categories: t.field({
      type: [StackingCategoryInput],
      required: true,
      description: 'The categories; discounts of others do not count. At most 30.',
    }),
    maxDiscounts: t.int({ description: 'How many discounts count; any number when left out.' }),
    floor: t.field({
      type: StackingFloorInput,
      description: 'What is paid at least; nothing when left out.',
    }),
    rounding: t.field({ type: StackingRounding, description: 'How shares are rounded; DOWN when left out.' }),
  }),
})

mutation('defineStacking', {
  description:
    'Puts the rules in force by which discounts of a purchase go together; equal ones change nothing. Needs: `program:write`. Emits: `program.published`.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    stacking: t.field({ type: StackingInput, required: true, description: 'The rules.' }),
  }),
  resolve: async ({ stacking }, { db }, { actor }) => {
    const body = stackingPart.read(stacking, 'input.stacking')
    const { program } = await publish(db, [{ kind: 'stacking', key: PURCHASE, body }], { actor })
    return { program }
  },
  payload: (t) => ({
    version: t.int({
      description: 'The version of the program in force.',
      resolve: ({ program }) => program,
    }),
  }),
})
