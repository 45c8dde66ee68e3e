/**
 * @engawa/sdk: what the author of a channel plugin installs, and a client for live events that resumes by itself.
 * No dependencies. Words are explained at the top of `channel.ts`.
 *
 * @packageDocumentation
 */
export * from './capabilities.ts'
export * from './channel.ts'
export * from './content.ts'
export * from './content-check.ts'
export * from './events.ts'
export * from './message-state.ts'
export * from './outcome.ts'
export * from './reply-intent.ts'
export * from './retry-after.ts'
export * from './schema.ts'
export * from './signal.ts'
export * from './version.ts'
