/** The facts that points announce, and the ids (uuids) each carries. 0003_points.sql writes them. */
export interface PointsEvents {
  /** Once for each points transaction. */
  readonly 'points.posted': { readonly transaction: string; readonly wallet: string }
  readonly 'points.held': { readonly hold: string }
  /** Besides points.posted, when points of the transaction died. */
  readonly 'points.expired': { readonly transaction: string }
}
