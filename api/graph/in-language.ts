import type { Context } from './context.ts'

/** A text of several languages in that of the viewer's tenant, else in English; undefined when there is neither. */
export function inLanguage(texts: unknown, { viewer }: Context): string | undefined {
  const language = viewer?.tenant.locale.split('-')[0] ?? 'en'
  const known = Object(texts) as Readonly<Record<string, string>> // {"en": …, "ja": …}, as columns of texts hold it
  return known[language] ?? known.en
}
