import { type Context, ForTag, Liquid, LiquidError, type Template } from 'liquidjs'

/** Where a text stands, which decides what data must not do to it: `line` and `text` are plain text. */
export type Place = 'line' | 'text' | 'html' | 'url'

/** What a template may speak of. */
export interface Scope {
  readonly member: {
    readonly displayName: string
    readonly locale: string
    readonly timeZone: string
    readonly attributes: unknown
  }
  readonly tenant: { readonly name: string; readonly locale: string }
  /** Facts of the touch, such as `order`. */
  readonly parameters: unknown
}

/** What is wrong with a template, or with what was to be said by it: where, and which variable. No data is told. */
export interface TextProblem {
  readonly message: string
  readonly line: number
  readonly variable?: string
}

/** A text, or why there is none. */
export type Written =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: TextProblem }

/** Nothing here reaches a file, a clock or another template. */
const TAGS = ['if', 'unless', 'case', 'for', 'break', 'continue', 'assign', 'comment', '#']
const FILTERS = [
  ...[
    'abs',
    'at_least',
    'at_most',
    'ceil',
    'divided_by',
    'floor',
    'minus',
    'modulo',
    'plus',
    'round',
    'times',
  ],
  ...[
    'append',
    'capitalize',
    'downcase',
    'lstrip',
    'prepend',
    'remove',
    'replace',
    'rstrip',
    'slice',
    'split',
    'strip',
  ],
  ...['strip_newlines', 'truncate', 'truncatewords', 'upcase', 'url_encode'],
  ...[
    'compact',
    'concat',
    'first',
    'join',
    'last',
    'map',
    'reverse',
    'size',
    'sort',
    'uniq',
    'where',
    'default',
  ],
]
/** The names that begin a variable, each with those that may follow; null for any. */
const NAMES: Readonly<Record<string, readonly string[] | null>> = {
  member: ['displayName', 'locale', 'timeZone', 'attributes'],
  tenant: ['name', 'locale'],
  parameters: null,
}

/** How much one text may be, take and give, whatever is said by it. */
const LIMITS = { parse: 200_000, memory: 2_000_000, rounds: 10_000, milliseconds: 2_000 }

/** Looks for what is wrong with a template before anything is said by it; undefined when nothing is. */
export function checkText(source: string, place: Place): TextProblem | undefined {
  try {
    const template = parsed(source, place)
    for (const segments of engines[place].globalVariableSegmentsSync(template)) {
      const [first, second] = segments.map(String)
      const known = first === undefined ? undefined : NAMES[first]
      if (known === undefined || (known && second !== undefined && !known.includes(second))) {
        const names = Object.entries(NAMES).flatMap(([name, parts]) =>
          parts ? parts.map((part) => `${name}.${part}`) : [`${name}.…`],
        )
        const variable = segments.join('.')
        const line = source.slice(0, Math.max(0, source.indexOf(first ?? ''))).split('\n').length
        return { message: `There is no ${variable}; there are ${names.join(', ')}.`, line, variable }
      }
    }
    return undefined
  } catch (error) {
    return problemOf(error)
  }
}

/** Says a template. What it speaks of and is not there is a problem, save in conditions and before `default`. */
export function writeText(source: string, place: Place, scope: Scope): Written {
  try {
    const isWhole = place === 'url' && /^\s*\{\{[^{}]*\}\}\s*$/.test(source)
    // An address that is data as a whole is no part of another one; it is checked like every address.
    const engine = engines[isWhole ? 'line' : place]
    const text: unknown = engine.renderSync(parsed(source, isWhole ? 'line' : place), scope, {
      renderLimit: LIMITS.milliseconds,
      memoryLimit: LIMITS.memory,
    })
    return { ok: true, text: String(text) }
  } catch (error) {
    return { ok: false, problem: problemOf(error) }
  }
}

function engine(outputEscape: (value: unknown) => string): Liquid {
  const liquid = new Liquid({
    outputEscape,
    templates: {},
    ownPropertyOnly: true,
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    parseLimit: LIMITS.parse,
    memoryLimit: LIMITS.memory,
  })
  for (const tag of Object.keys(liquid.tags)) if (!TAGS.includes(tag)) delete liquid.tags[tag]
  for (const filter of Object.keys(liquid.filters)) {
    if (!FILTERS.includes(filter)) delete liquid.filters[filter]
  }
  liquid.registerTag('for', BoundedFor)
  liquid.registerFilter('date', function (value: unknown, style: unknown = 'long') {
    return instant(this.context, value, { dateStyle: styleOf(style) })
  })
  liquid.registerFilter('time', function (value: unknown, style: unknown = 'short') {
    return instant(this.context, value, { timeStyle: styleOf(style) })
  })
  return liquid
}

/** A loop of which each round counts against the memory of the whole text, so that nested ones come to an end. */
class BoundedFor extends ForTag {
  constructor(...given: ConstructorParameters<typeof ForTag>) {
    super(...given)
    const { token } = this
    const cost = LIMITS.memory / LIMITS.rounds
    this.templates.unshift({ token, render: (context: Context) => context.memoryLimit.use(cost) })
  }
}

const engines: Readonly<Record<Place, Liquid>> = {
  line: engine(plain),
  text: engine(plain),
  html: engine((value) => plain(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)),
  url: engine((value) => encodeURIComponent(plain(value).toWellFormed())),
}

/** What can be shown: text, a number, true and false. Nothing for nothing. */
function plain(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object' || typeof value === 'function')
    throw new TypeError('a list or an object is no text')
  return String(value)
}

type Style = 'full' | 'long' | 'medium' | 'short'

function styleOf(style: unknown): Style {
  if (style === 'full' || style === 'long' || style === 'medium' || style === 'short') return style
  throw new TypeError('the style of a date is full, long, medium or short')
}

/** An instant of RFC 3339, in the words and the zone of the member. */
function instant(context: Context, value: unknown, style: Intl.DateTimeFormatOptions): string {
  const at = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : undefined
  if (!at || Number.isNaN(at.getTime())) throw new TypeError('a date is an instant of RFC 3339')
  const { locale, timeZone } = context.getSync(['member']) as Scope['member'] // the scope is always a Scope
  return new Intl.DateTimeFormat(locale, { ...style, timeZone }).format(at)
}

const known = new Map<string, Template[]>()
/** Templates that are kept ready. */
const KEPT = 500

function parsed(source: string, place: Place): Template[] {
  const key = `${place}\n${source}`
  const found = known.get(key)
  if (found) return found
  const template = engines[place].parse(source)
  if (known.size >= KEPT) known.clear()
  known.set(key, template)
  return template
}

function problemOf(error: unknown): TextProblem {
  if (!(error instanceof Error)) throw error
  const message = error.message.replace(/, line:\d+, col:\d+$/, '')
  const line = Number(/line:(\d+), col:\d+$/.exec(error.message)?.[1] ?? 1)
  const variable = /^undefined variable: (.*)$/.exec(message)?.[1]
  if (!LiquidError.is(error)) throw error
  if (variable !== undefined) return { message: `There is no ${variable} to speak of.`, line, variable }
  return { message: `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`, line }
}
