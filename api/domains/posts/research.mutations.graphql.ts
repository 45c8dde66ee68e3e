import type { InputShapeFromFields } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import { AccessDeniedError, BadInputError, IdempotencyKeyReusedError } from '../../platform/errors/index.ts'
import { AudienceInput, compiledRule } from '../audiences/index.ts'
import { MemberByInput, ownOrWrites, subjectOf } from '../members/index.ts'
import { FeedbackKind, researchOf } from './research.graphql.ts'
import {
  answerResearch,
  type FeedbackQuestion,
  type NewResearch,
  saveResearch,
  takeFromTestSale,
} from './research.service.ts'

const FeedbackQuestionInput = builder.inputType('FeedbackQuestionInput', {
  description: 'A question of a feedback form.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'Its name within the form; 1 to 100 characters.' }),
    label: t.string({ required: true, description: 'What is asked; 1 to 500 characters.' }),
    kind: t.field({ type: FeedbackKind, required: true, description: 'How it is answered.' }),
    choices: t.stringList({ description: 'For CHOICE: 2 to 20 different texts of 1 to 200 characters.' }),
    isRequired: t.boolean({ description: 'Whether it must be answered; false when left out.' }),
  }),
})

type InputBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>

const common = (t: InputBuilder) => ({
  key: t.string({ required: true, description: 'Its short name; 1 to 100 characters.' }),
  title: t.string({ required: true, description: 'What it is called; 1 to 300 characters.' }),
  description: t.string({ required: true, description: 'What it is about; 1 to 10,000 characters.' }),
  invitees: t.field({ type: AudienceInput, description: 'Who is invited; every member when left out.' }),
  sku: t.string({ description: 'The product that it is about; 1 to 100 characters.' }),
  form: t.field({ type: [FeedbackQuestionInput], required: true, description: 'What is asked. At most 20.' }),
  opensAt: t.field({ type: 'DateTime', description: 'From when on; now when left out.' }),
  closesAt: t.field({ type: 'DateTime', description: 'Until just before when; without end when left out.' }),
})
type Common = InputShapeFromFields<ReturnType<typeof common>>

function researchGiven(given: Common): Omit<NewResearch, 'kind' | 'stock' | 'perMember'> {
  const { opensAt, closesAt } = given
  if (opensAt && closesAt && opensAt >= closesAt) {
    throw new BadInputError('input.closesAt', 'input.closesAt must be after opensAt.')
  }
  return {
    key: text(given.key, 'input.key', 100),
    title: text(given.title, 'input.title', 300),
    description: text(given.description, 'input.description', 10_000),
    audience: given.invitees == null ? null : compiledRule(given.invitees, 'input.invitees'),
    sku: given.sku == null ? null : text(given.sku, 'input.sku', 100),
    form: formGiven(given.form),
    opensAt: opensAt ?? null,
    closesAt: closesAt ?? null,
  }
}

function formGiven(given: readonly (typeof FeedbackQuestionInput.$inferInput)[]): FeedbackQuestion[] {
  const form = given.map(({ key, label, kind, choices, isRequired }, i) => {
    const field = `input.form.${i}`
    const texts = (choices ?? []).map((choice, n) => text(choice, `${field}.choices.${n}`, 200))
    const isFit = kind === 'CHOICE' ? texts.length >= 2 && texts.length <= 20 : texts.length === 0
    if (!isFit || new Set(texts).size < texts.length) {
      throw new BadInputError(
        `${field}.choices`,
        `${field}.choices must be 2 to 20 different texts for a CHOICE, and none for other questions.`,
      )
    }
    return {
      key: text(key, `${field}.key`, 100),
      label: text(label, `${field}.label`, 500),
      kind,
      choices: texts,
      isRequired: isRequired ?? false,
    }
  })
  if (form.length < 1 || form.length > 20 || new Set(form.map(({ key }) => key)).size < form.length) {
    throw new BadInputError('input.form', 'input.form must be 1 to 20 questions with different keys.')
  }
  return form
}

mutation('openResearchPanel', {
  description:
    'Opens a panel of members who are asked, or changes it; what was answered stays. Needs: `program:write`. Emits: nothing.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: common,
  resolve: (given, { db }, { actor }) =>
    saveResearch(db, { ...researchGiven(given), kind: 'PANEL', stock: null, perMember: null }, actor),
  payload: (t) => ({ research: researchOf(t) }),
})

mutation('openTestSale', {
  description:
    'Opens a sale in which invited members try out a product, or changes it; what was taken stays. Needs: `program:write`. Emits: nothing.',
  scopes: { writes: 'program:write' },
  errors: [],
  key: 'none',
  input: (t) => ({
    ...common(t),
    stock: t.int({ required: true, description: 'How many there are; 0 to 1,000,000.' }),
    perMember: t.int({ description: 'How many a member may have, 1 to 1,000; 1 when left out.' }),
  }),
  resolve: ({ stock, perMember, ...given }, { db }, { actor }) => {
    if (stock < 0 || stock > 1_000_000) {
      throw new BadInputError('input.stock', `input.stock must be from 0 to 1,000,000; it is ${stock}.`)
    }
    if (perMember != null && (perMember < 1 || perMember > 1000)) {
      throw new BadInputError(
        'input.perMember',
        `input.perMember must be from 1 to 1,000; it is ${perMember}.`,
      )
    }
    const sale = { ...researchGiven(given), kind: 'TEST_SALE', stock, perMember: perMember ?? 1 } as const
    return saveResearch(db, sale, actor)
  },
  payload: (t) => ({ research: researchOf(t) }),
})

mutation('takeFromTestSale', {
  description:
    'Takes so many of a test sale for a member; there are never more than its stock. Needs: a member who is invited, for itself, or `community:write`. Emits: `test_sale.taken`.',
  scopes: ownOrWrites('community:write'),
  errors: [IdempotencyKeyReusedError, AccessDeniedError],
  input: (t) => ({
    key: t.string({ required: true, description: 'The key of the test sale.' }),
    member: t.field({ type: MemberByInput, description: 'Who; a member leaves it out.' }),
    quantity: t.int({ defaultValue: 1, description: 'How many; 1 to 1,000.' }),
  }),
  resolve: ({ key, member, quantity }, context, operation) => {
    const many = quantity ?? 1
    if (many < 1 || many > 1000) {
      throw new BadInputError('input.quantity', `input.quantity must be from 1 to 1,000; it is ${many}.`)
    }
    const taking = {
      research: text(key, 'input.key', 100),
      member: subjectOf(member, context),
      quantity: many,
    }
    return takeFromTestSale(context.db, taking, operation)
  },
  payload: (t) => ({
    research: researchOf(t),
    quantity: t.exposeInt('quantity', { description: 'How many the member has now.' }),
  }),
})

const FeedbackAnswerInput = builder.inputType('FeedbackAnswerInput', {
  description: 'An answer to one question of a feedback form.',
  fields: (t) => ({
    question: t.string({ required: true, description: 'The key of the question.' }),
    words: t.string({ description: 'For TEXT and CHOICE; 1 to 2,000 characters. This or number.' }),
    number: t.int({ description: 'For SCALE; 1 to 5. This or words.' }),
  }),
})

mutation('answerResearch', {
  description:
    'Answers a feedback form, instead of what the member answered before. Needs: a member who is invited, for itself, or `community:write`. Emits: `research.answered`.',
  scopes: ownOrWrites('community:write'),
  errors: [AccessDeniedError],
  key: 'none',
  input: (t) => ({
    key: t.string({ required: true, description: 'The key of the panel or test sale.' }),
    member: t.field({ type: MemberByInput, description: 'Who; a member leaves it out.' }),
    answers: t.field({
      type: [FeedbackAnswerInput],
      required: true,
      description: 'The answers. At most 20.',
    }),
  }),
  resolve: ({ key, member, answers }, context) => {
    const field = 'input.answers'
    const given = answers.map(({ question, words, number }, i) => {
      if ((words == null) === (number == null)) {
        throw new BadInputError(`${field}.${i}`, `${field}.${i} must have words or a number.`)
      }
      return {
        question: text(question, `${field}.${i}.question`, 100),
        words: words == null ? null : text(words, `${field}.${i}.words`, 2000),
        number: number ?? null,
      }
    })
    if (given.length > 20 || new Set(given.map(({ question }) => question)).size < given.length) {
      throw new BadInputError(field, `${field} must be at most 20, one for each question.`)
    }
    return answerResearch(context.db, text(key, 'input.key', 100), subjectOf(member, context), given)
  },
  payload: (t) => ({ research: researchOf(t) }),
})
