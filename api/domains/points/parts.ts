import { BadInputError } from '../../platform/errors.ts'
import { definePart, readBody } from '../program/index.ts'
import { type CurrencyBody, currencyBody } from './policies.ts'

/** `currencies` of the program: the kinds of points that a tenant has, by their codes. */
export const currencyPart = definePart<CurrencyBody>({
  kind: 'currency',
  section: 'currencies',
  read: (given, field) => readBody(currencyBody, given, field),
})

/** The code of a currency of points. Throws BadInputError naming the field. */
export function currencyCode(given: string, field: string): string {
  if (/^[A-Z][A-Z0-9_]{0,31}$/.test(given)) return given
  throw new BadInputError(field, `${field} must be written in capitals, as in POINTS.`)
}
