import pg from 'pg'

/*
 * What pg 8.23.1 does and its types do not say. The scoped pool leans on it, so pg is pinned and
 * test/platform/scoped-pool.test.ts must pass before the pin moves.
 */

/** The wire of one connection. Messages are written in order and answered at the next Sync. */
export interface Wire {
  bind(message: { portal: string; statement: string; values: readonly string[] }): void
  execute(message: { portal: string }): void
}

/** What a client asks of the query it runs. */
export interface QueryMachine {
  readonly text: string
  requiresPreparation(): boolean
  /** Writes Parse (when needed), Bind, Describe, Execute and Sync. */
  prepare(wire: Wire): void
  submit(wire: Wire): Error | null
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, wire: Wire): void
  handleError(error: Error, wire: Wire): void
}

/** Called once with an error, or once with a result; an error may come before the connection is at rest. */
export type Settled = (error: Error | null | undefined, result?: pg.QueryResult) => void

// The cast is the border: the published types hide every member that a subclass needs.
export const BareQuery = pg.Query as unknown as new (
  config: pg.QueryConfig,
  values: undefined,
  settled: Settled,
) => QueryMachine

/** What a client keeps about its connection. */
export interface ClientState {
  /** False from the moment a query is sent until the server is ready for the next one. */
  readonly readyForQuery: boolean
  readonly connectionParameters: { options?: string }
}

/** Reads what the published type of a client leaves out. */
export function stateOf(client: pg.Client): ClientState {
  return client as unknown as ClientState
}
