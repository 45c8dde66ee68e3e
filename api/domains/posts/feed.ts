/** A post that may stand in a feed. */
export interface Candidate {
  /** A uuid. */
  readonly id: string
  /** Null: staff, of whom there may be any number. */
  readonly author: string | null
  readonly space: string
}

/** How many of one author and of one space a page may hold while there is anything else to show. */
export const MOST = { perAuthor: 3, perSpace: 10 } as const

/**
 * Arranges candidates, the best first, in pages of a size: a page takes the best that are left, at most so many of one
 * author and of one space. Only where nothing else is left does a page hold more of one.
 */
export function arranged(candidates: readonly Candidate[], size: number): Candidate[] {
  const pages: Candidate[] = []
  let left = [...candidates]
  while (left.length > 0) {
    const page: Candidate[] = []
    const passed: Candidate[] = []
    const authors = new Map<string, number>()
    const spaces = new Map<string, number>()
    for (const each of left) {
      const ofAuthor = each.author === null ? 0 : (authors.get(each.author) ?? 0)
      const ofSpace = spaces.get(each.space) ?? 0
      if (page.length < size && ofAuthor < MOST.perAuthor && ofSpace < MOST.perSpace) {
        if (each.author !== null) authors.set(each.author, ofAuthor + 1)
        spaces.set(each.space, ofSpace + 1)
        page.push(each)
      } else {
        passed.push(each)
      }
    }
    pages.push(...page, ...passed.splice(0, size - page.length))
    left = passed
  }
  return pages
}
