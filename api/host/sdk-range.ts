/**
 * Whether a version of the SDK is inside a plugin's range `^major.minor`: the same major and at least that minor;
 * for major 0 the very same minor, because there a minor may break. False for a range of another form.
 */
export function isInSdkRange(range: string, version: string): boolean {
  const wanted = /^\^(0|[1-9]\d*)\.(0|[1-9]\d*)$/.exec(range)
  const [major, minor] = version.split('.').map(Number)
  if (!wanted || major === undefined || minor === undefined) return false
  const [, wantedMajor, wantedMinor] = wanted.map(Number)
  if (wantedMajor === undefined || wantedMinor === undefined || wantedMajor !== major) return false
  return major === 0 ? wantedMinor === minor : wantedMinor <= minor
}
