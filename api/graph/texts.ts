import { builder } from './builder.ts'

/** `TextsInput` of the API: what members read, in both languages. */
export const TextsInput = builder.inputType('TextsInput', {
  description: 'A text for members, in English and in Japanese.',
  fields: (t) => ({
    en: t.string({ required: true, description: 'In English.' }),
    ja: t.string({ required: true, description: 'In Japanese.' }),
  }),
})
