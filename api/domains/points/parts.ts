import { BadInputError } from '../../platform/errors/index.ts'
import { definePart, readBody } from '../program/index.ts'
import { type CurrencyBody, currencyBody, type OperationsBody, operationsBody } from './policies.ts'

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

/** The key of the one definition of its kind. */
export const OPERATIONS = 'operations'

/** `operations` of the program: what staff may do by hand. Its only key is `operations`. */
export const operationsPart = definePart<OperationsBody>({
  kind: 'operations',
  section: 'operations',
  read: (given, field) => readBody(operationsBody, given, field),
})
