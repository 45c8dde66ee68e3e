import { ownOrWrites } from '../members/index.ts'

/** A member's token for what is its own, or a staff or integration token with the scope. */
export const OWN_OR_WRITES = ownOrWrites('consents:write')
