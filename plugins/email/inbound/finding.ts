import type { Signal } from '@engawa/sdk'

/** What a message says of one member or one delivery: a signal without what only its arrival gives. */
export interface Finding extends Omit<Signal, 'dedupeKey' | 'occurredAt' | 'raw'> {
  /** When it happened, by the message; undefined when that says nothing readable. */
  readonly at?: Date
  readonly raw: Kept
}

/** What is kept of a message for people who look into it. */
export interface Kept {
  readonly messageId?: string
  readonly subject: string
  readonly originalEnvelopeId?: string
  /** Of a delivery report, as its fields have it. */
  readonly action?: string
  readonly diagnostic?: string
  /** Of a feedback report. */
  readonly feedbackType?: string
  /** How the message begins. */
  readonly text: string
}
