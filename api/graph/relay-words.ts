/** What the relay plugin's own types and fields say of themselves. Imported whole by the builder. */

export const clientMutationId = 'omit'
export const cursorType = 'String'
// Ours, in relay.ts: they name the argument that is wrong.
export const nodeQueryOptions = false
export const nodesQueryOptions = false

export const nodeTypeOptions = {
  description: 'A thing with a life of its own, which can be fetched again by its id.',
}
export const idFieldOptions = { description: 'The opaque id of this thing. It never changes.' }

export const pageInfoTypeOptions = { description: 'Where a page begins and ends, and whether there is more.' }
export const hasNextPageFieldOptions = { description: 'Whether more entries follow this page.' }
export const hasPreviousPageFieldOptions = { description: 'Whether more entries come before this page.' }
export const startCursorFieldOptions = {
  description: 'The cursor of the first entry, for `before`. Null when the page is empty.',
}
export const endCursorFieldOptions = {
  description: 'The cursor of the last entry, for `after`. Null when the page is empty.',
}

export const edgesFieldOptions = {
  description: 'The entries of this page with their cursors. At most 100.',
  nullable: false,
} as const
export const nodesOnConnection = { description: 'The entries of this page. At most 100.' }
export const pageInfoFieldOptions = { description: 'Where this page begins and ends.' }
export const cursorFieldOptions = { description: 'The place of this entry, for `after` and `before`.' }
export const nodeFieldOptions = { description: 'The entry.', nullable: false } as const

export const firstArgOptions = { description: 'How many entries from the front: 1 to 100, usually 20.' }
export const afterArgOptions = { description: 'Only entries after this cursor.' }
export const lastArgOptions = { description: 'How many entries from the back: 1 to 100.' }
export const beforeArgOptions = { description: 'Only entries before this cursor.' }
