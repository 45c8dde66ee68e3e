import type { Tx } from '../../platform/db.ts'
import { BadInputError } from '../../platform/errors/index.ts'
import { MOST_TEXTS, problemOfText, type TemplateText } from './templates.say.ts'
import { writeTemplate } from './templates.store.ts'

/** A template that is to be saved, and by whom. */
export interface NewTemplate {
  readonly key: string
  readonly texts: readonly TemplateText[]
  readonly actor: string
}

/** Saves the next version of a template; gives the id (uuid) of the newest. Throws BadInputError naming part and line. */
export async function saveTemplate(tx: Tx, { key, texts, actor }: NewTemplate): Promise<string> {
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(key)) {
    throw new BadInputError(
      'input.key',
      'A template is named by small letters, digits and hyphens, at most 100.',
    )
  }
  if (texts.length < 1 || texts.length > MOST_TEXTS) {
    throw new BadInputError('input.texts', `A template has 1 to ${MOST_TEXTS} texts.`)
  }
  const named = new Set<string>()
  texts.forEach((text, i) => {
    const at = `input.texts.${i}`
    checkLocale(text.locale, `${at}.locale`)
    if (text.kind !== null && !/^[a-z][a-z0-9-]{0,39}$/.test(text.kind)) {
      throw new BadInputError(
        `${at}.kind`,
        'A kind of channel is small letters, digits and hyphens, such as email.',
      )
    }
    const name = `${text.locale.toLowerCase()} ${text.kind}`
    if (named.has(name))
      throw new BadInputError(at, `There are two texts for ${text.locale} and the same channels.`)
    named.add(name)
    const problem = problemOfText(text)
    if (problem) {
      throw new BadInputError(`${at}.${problem.part}`, `Line ${problem.line}: ${problem.message}`)
    }
  })
  return writeTemplate(tx, { key, texts, actor })
}

/** Facts of a touch: an object of at most 16 kB. Throws BadInputError. */
export function parametersOf(given: unknown, field: string): object {
  if (given == null) return {}
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new BadInputError(field, `${field} must be a JSON object of names and values.`)
  }
  if (JSON.stringify(given).length > 16_384) {
    throw new BadInputError(field, `${field} holds at most 16384 bytes of JSON.`)
  }
  return given
}

function checkLocale(tag: string, field: string): void {
  try {
    if (tag.length <= 35 && Intl.getCanonicalLocales(tag).length === 1) return
  } catch {
    // Not a tag.
  }
  throw new BadInputError(field, 'A locale is a BCP 47 tag such as ja or en-GB.')
}
