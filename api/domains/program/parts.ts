/** One kind of definition, as the room that owns it tells the program about it. */
export interface Part<Body extends object = object> {
  /** The word that stored definitions carry, as in `earnRule`. */
  readonly kind: string
  /** Where its definitions stand in the document of a program, by key: `{ "earnRules": { "purchase": … } }`. */
  readonly section: string
  /**
   * Reads what was given into the body that is stored: plain JSON, the same for equal meanings. Throws BadInputError
   * naming the field.
   */
  read(given: unknown, field: string): Body
  /** The audience rules of a body, by the names under which its room finds their ids. */
  audiences?(body: Body): Readonly<Record<string, unknown>>
}

/** Makes a part. It counts once it is registered. */
export function definePart<Body extends object>(part: Part<Body>): Part<Body> {
  return part
}

const registered: Part[] = []

/**
 * Adds parts to the program; once, when the application is put together, in the order in which definitions of one
 * kind stand on those of another. Throws when a kind or a section is taken.
 */
export function registerParts(...parts: readonly Part[]): void {
  for (const part of parts) {
    const known = registered.find(({ kind, section }) => kind === part.kind || section === part.section)
    if (known && known !== part)
      throw new TypeError(`there are two parts named ${part.kind} or ${part.section}`)
    if (!known) registered.push(part)
  }
}

/** Every part, those that others stand on first. */
export function parts(): readonly Part[] {
  return registered
}

/** The part of a kind. Throws TypeError for a kind that no room registered. */
export function partOf(kind: string): Part {
  const part = registered.find((each) => each.kind === kind)
  if (!part) throw new TypeError(`no room registered the kind ${kind}`)
  return part
}
