/** One thing that is wrong with a value, and where in it. */
export interface SchemaIssue {
  readonly message: string
  /** From the outermost key inwards; absent for the value as a whole. */
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/** What validating gives: the value as the schema reads it, or everything that is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<SchemaIssue> }

/**
 * A schema of any library that follows Standard Schema 1 (zod, valibot, arktype), or one written by hand.
 *
 * @example
 * ```ts
 * import type { Schema } from '@engawa/sdk'
 *
 * const phone: Schema<string> = {
 *   '~standard': {
 *     version: 1,
 *     vendor: 'me',
 *     validate: (value) =>
 *       typeof value === 'string' && /^\+[0-9]{8,15}$/.test(value)
 *         ? { value }
 *         : { issues: [{ message: 'must be a phone number such as +81312345678' }] },
 *   },
 * }
 * console.assert(!('issues' in (await phone['~standard'].validate('+81312345678'))))
 * ```
 */
export interface Schema<Output, Input = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}
