import type { Content } from '@engawa/sdk'
import type { Tx } from '../../platform/db.ts'
import { checkContent, type Said, say } from './templates.say.ts'
import { readSaying, type TemplateRef } from './templates.store.ts'

/** What a touch is to say: by a template with its parameters, or word by word. */
export type ToSay =
  | (TemplateRef & { readonly parameters?: unknown })
  | { readonly content: Content; readonly parameters?: unknown }

/** What came of it; the reasons besides a problem of the text: no such template, no such member. */
export type Rendering = Said | { readonly ok: false; readonly missing: 'template' | 'member' }

/** Writes a touch out for a member (a uuid) and a kind of channel. One statement; none of it is stored. */
export async function renderTouch(tx: Tx, toSay: ToSay, member: string, kind: string): Promise<Rendering> {
  const isFree = 'content' in toSay
  const saying = await readSaying(tx, member, isFree ? null : toSay)
  if (!saying) return { ok: false, missing: 'member' }
  if (isFree) return checkContent(toSay.content, saying.member.locale)
  const said = saying.texts && say(saying.texts, { ...saying, parameters: toSay.parameters ?? {} }, kind)
  return said ?? { ok: false, missing: 'template' }
}
