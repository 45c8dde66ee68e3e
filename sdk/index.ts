/**
 * @engawa/sdk: what the author of a channel plugin installs. Nothing in it runs besides a few checks; the rest
 * is types. Words are explained at the top of `channel.ts`.
 *
 * @packageDocumentation
 */
export * from './capabilities.ts'
export * from './channel.ts'
export * from './outcome.ts'
export * from './schema.ts'
export * from './signal.ts'
export * from './version.ts'
