import type { Capabilities, Limits } from '../capabilities.ts'

/** The limit that a text reaches first: how much of it there may be, in which unit, and how that is counted. */
export interface Limit {
  readonly max: number
  readonly unit: 'utf16' | 'codepoint' | 'gsm7/ucs2' | 'bytes' | 'parts'
  /** How many units a text has; undefined where only the channel can tell. */
  readonly count: ((text: string) => number) | undefined
}

/** The limit of a channel on texts; undefined when it declares none. */
export function limitOf({ limits }: Capabilities): Limit | undefined {
  if (limits.chars) return charLimit(limits.chars)
  if (limits.bytes !== undefined)
    return { max: limits.bytes, unit: 'bytes', count: (text) => Buffer.byteLength(text) }
  return limits.parts === undefined ? undefined : { max: limits.parts, unit: 'parts', count: undefined }
}

function charLimit({ max, unit }: NonNullable<Limits['chars']>): Limit {
  switch (unit) {
    case 'utf16':
      return { max, unit, count: (text) => text.length }
    case 'codepoint':
      return { max, unit, count: (text) => [...text].length }
    case 'gsm7/ucs2':
      return { max, unit, count: undefined }
  }
}
