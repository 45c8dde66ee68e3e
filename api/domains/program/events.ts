/** Definitions were published. Payload: `program`, the version in force since. */
export const programPublished = {
  type: 'program.published',
  scope: 'program:read',
  description: 'A version of the program came into force.',
}
