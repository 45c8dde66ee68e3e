/**
 * A text as it can be kept: at most so long, no half characters, and of control characters only line ends and tabs. A
 * database takes neither NUL nor half a surrogate pair.
 */
export function storable(text: string, longest: number): string {
  return text
    .slice(0, longest)
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .toWellFormed()
}
