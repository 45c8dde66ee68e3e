import pg from 'pg'

/*
 * What pg 8.23.1 does and its types do not say. The scoped pool leans on it, so pg is pinned, and
 * test/platform/scoped-pool.test.ts must pass before the pin moves.
 */

/** The wire of one connection. Messages are answered in order; a Sync ends the implicit transaction. */
export interface Wire {
  bind(message: { portal: string; statement: string; values: readonly string[] }): void
  execute(message: { portal: string }): void
  describe(message: unknown): void
}

/** What a client asks of the query that it runs. */
export interface QueryMachine {
  readonly text: string
  readonly name: string | undefined
  requiresPreparation(): boolean
  submit(wire: Wire): Error | null
  /** Writes Parse (when the statement is new to the connection), Bind, Describe, Execute and Sync. */
  prepare(wire: Wire): void
  handleRowDescription(message: unknown): void
  handleCommandComplete(message: unknown, wire: Wire): void
  handleError(error: Error, wire: Wire): void
}

/** Called with an error or with a result, possibly before the server awaits the next statement. */
export type Settled = (error: Error | null | undefined, result?: pg.QueryResult) => void

// The cast is the border: the published type hides every method that a subclass needs.
export const BareQuery = pg.Query as unknown as new (
  config: pg.QueryConfig,
  values: undefined,
  settled: Settled,
) => QueryMachine

/** What a client keeps about its connection. */
export interface ClientState {
  /** False from the moment a statement is sent until the server awaits the next one. */
  readonly readyForQuery: boolean
  readonly connectionParameters: { options?: string }
}

/** Reads what the published type of a client leaves out. */
export function stateOf(client: pg.Client): ClientState {
  return client as unknown as ClientState
}
