/**
 * The version of this SDK. A plugin names the versions it works with in `sdk`, and the boot compares.
 *
 * @example
 * ```ts
 * import { sdkVersion } from '@engawa/sdk'
 *
 * console.assert(sdkVersion.startsWith('0.1.'))
 * ```
 */
export const sdkVersion: string = '0.1.0'
