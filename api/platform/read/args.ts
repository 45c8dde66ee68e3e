/** What may be asked of the reader: the part of Prisma's query arguments that the graph uses. */
export interface ReadArgs {
  readonly where?: Where | undefined
  readonly select?: Readonly<Record<string, boolean | ReadArgs | undefined>> | undefined
  readonly include?: Readonly<Record<string, boolean | ReadArgs | undefined>> | undefined
  readonly orderBy?: Order | readonly Order[] | undefined
  readonly take?: number | undefined
  readonly skip?: number | undefined
  readonly cursor?: Where | undefined
}

/** Columns by which rows are sorted. */
export type Order = Readonly<Record<string, 'asc' | 'desc' | SqlOrder>>

/** Conditions by the name of the column or relation. */
export type Where = Readonly<Record<string, unknown>>

/**
 * A condition in SQL, for what Prisma's words cannot say; stands in `where` under the name `sql`. Gets the alias of
 * the table and a function that makes a parameter of a value.
 */
export type SqlCondition = (alias: string, param: (value: unknown) => string) => string

/** A value to sort by in SQL; stands in `orderBy` under the name `sql`. It must never be null. */
export interface SqlOrder {
  readonly expression: SqlCondition
  readonly direction: 'asc' | 'desc'
}
