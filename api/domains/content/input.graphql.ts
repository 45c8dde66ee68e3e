import { builder } from '../../graph/builder.ts'
import { text } from '../../graph/input.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import type { ContentFacts } from './service.ts'

/** `ContentFactsInput` of the API. */
export const ContentFactsInput = builder.inputType('ContentFactsInput', {
  description: 'What some content is, and whom it is for.',
  fields: (t) => ({
    teaser: t.string({ description: 'What those read who may not read it; 1 to 1,000 characters.' }),
    isTeased: t.boolean({
      description:
        'True tells those who may not read it that it exists, by its title and teaser. False at first.',
    }),
    isPublic: t.boolean({
      description:
        'True lets whoever serves public pages show it to people who are no members. False at first.',
    }),
    stages: t.stringList({ description: 'The stages that it is made for; every one at first. At most 20.' }),
    skus: t.stringList({ description: 'The products that it is about; every one at first. At most 50.' }),
    personas: t.stringList({
      description: 'The sorts of people it is made for; everybody at first. At most 20.',
    }),
    link: t.string({ description: 'Where a tool or a service is, beginning with https://.' }),
    entitlement: t.string({ description: 'The key of the entitlement that a tool or a service asks for.' }),
    series: t.string({
      description: 'The key of the series that it is an issue of; kept once it is published.',
    }),
  }),
})

/** Checks what was given, of which only that is answered. Throws BadInputError naming the field. */
export function factsOf(given: typeof ContentFactsInput.$inferInput | null | undefined): ContentFacts {
  const { isTeased, isPublic, stages, skus, personas, ...texts } = given ?? {}
  const field = 'input.facts'
  return {
    ...(isTeased != null && { isTeased }),
    ...(isPublic != null && { isPublic }),
    ...(stages && { stages: words(stages, `${field}.stages`, 20) }),
    ...(skus && { skus: words(skus, `${field}.skus`, 50) }),
    ...(personas && { personas: words(personas, `${field}.personas`, 20) }),
    ...textIn(texts, 'teaser', 1000),
    ...textIn(texts, 'entitlement', 100),
    ...textIn(texts, 'series', 100),
    ...(texts.link !== undefined && {
      link: texts.link === null ? null : httpsOf(texts.link, `${field}.link`),
    }),
  }
}

function textIn<Name extends 'teaser' | 'entitlement' | 'series'>(
  given: { readonly [name in Name]?: string | null | undefined },
  name: Name,
  most: number,
): { readonly [name in Name]?: string | null } {
  const value = given[name]
  if (value === undefined) return {}
  const checked = value === null ? null : text(value, `input.facts.${name}`, most)
  return { [name]: checked } as { readonly [name in Name]?: string | null } // TypeScript widens computed names
}

/** Words that were given, each once and of 1 to 100 characters. Throws BadInputError naming the field. */
export function words(list: readonly string[], field: string, most: number): string[] {
  if (list.length > most) throw new BadInputError(field, `${field} may hold at most ${most} entries.`)
  return [...new Set(list.map((word, i) => text(word, `${field}.${i}`, 100)))]
}

function httpsOf(link: string, field: string): string {
  const isGood = link.length <= 2000 && /^https:\/\/[^\s<>"]+$/.test(link) && URL.canParse(link)
  if (isGood) return link
  throw new BadInputError(field, `${field} must be an address beginning with https://.`)
}
