import type { CheckedText, Fault } from '@engawa/sdk'
import { definePort } from '../../platform/ports.ts'
import type { Configurable, SavedConfig, Situation } from '../channels/index.ts'

/** The checks of this deployment. The plugin host gives them. */
export interface DeployedChecks {
  get(id: string): DeployedCheck | undefined
  all(): readonly DeployedCheck[]
}

/** How resolvers reach the checks of this deployment. */
export const checksPort = definePort<DeployedChecks>('checks')

/** One check of the deployment. Nothing here throws for what a plugin does. */
export interface DeployedCheck extends Configurable {
  /** The check with the tenant's configuration, or why it cannot be used now. Rejects when the database is away. */
  open(tenantId: string): Promise<OpenedCheck>
  /** `open` with a configuration that was read already; undefined when nothing was saved. */
  openWith(tenantId: string, saved: SavedConfig | undefined): Promise<OpenedCheck>
}

/** A check ready to judge, or what is in the way. */
export type OpenedCheck =
  | { readonly ok: true; readonly check: OpenCheck }
  | { readonly ok: false; readonly fault: Fault }

/** A check with one tenant's configuration. */
export interface OpenCheck {
  judge(text: CheckedText, situation: Situation): Promise<Judgement>
}

/** What a check said of a text, or why it said nothing. */
export type Judgement =
  | {
      readonly ok: true
      readonly state: 'APPROVED' | 'QUEUED' | 'SPAM'
      readonly reason: string | null
      readonly score: number | null
    }
  | { readonly ok: false; readonly detail: string }
