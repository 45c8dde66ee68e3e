import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { BadInputError, TooCostlyError } from '../platform/errors/index.ts'
import { type Cost, costOf, type Variables } from './cost.ts'
import { isDryRun } from './dry-run.ts'
import { type Limits, measure } from './limits.ts'
import { type PageCheck, pageCheckOf } from './page-check.ts'
import { patienceOf } from './patience.ts'
import { checkLiterals } from './storable.ts'
import { type ViewAs, viewAsOf } from './view-as.ts'

/** A document that was read, measured and validated, or what is wrong with it. */
export type Prepared = PreparedDocument | PreparedErrors

/** A valid document. */
export interface PreparedDocument {
  readonly document: DocumentNode
  /** Whether it asks for the schema itself. */
  readonly isIntrospective: boolean
  /** Whether it asks for `asOf`, the place in the log that must be read before everything else. */
  readonly isDated: boolean
  readonly operations: readonly PreparedOperation[]
}

/** A document that cannot be executed. */
export interface PreparedErrors {
  readonly document: DocumentNode | undefined
  readonly errors: readonly Error[]
}

/** One operation of a document. */
export interface PreparedOperation {
  readonly name: string | undefined
  readonly type: OperationTypeNode
  /** Whether it is to be undone. */
  readonly isDry: boolean
  /** Whose eyes it sees with, other than the caller's. Throws BadInputError. */
  viewAs(variables: Variables): ViewAs | null
  readonly cost: Cost
  /** Units of `cost` beyond one a field; an answer's fields are counted to find what it really was. */
  readonly extra: number
  /** How long it may take when that is longer than others may, in milliseconds; else 0. */
  readonly patience: number
  /** Undefined when it asks for no list. */
  readonly checkPages: PageCheck | undefined
}

/** Longest text, in characters, that is remembered, and how much text in all. */
const REMEMBERED = { each: 16_384, all: 2_000_000 }

/** Reads documents and remembers the last ones by their text, the wrong ones too. */
export class Documents {
  readonly #schema: GraphQLSchema
  readonly #limits: Limits
  readonly #known = new Map<string, Prepared>()
  #characters = 0

  constructor(schema: GraphQLSchema, limits: Limits) {
    this.#schema = schema
    this.#limits = limits
  }

  /** Never throws: what is wrong with the text is part of the answer. */
  prepare(text: string): Prepared {
    const known = this.#known.get(text)
    if (known) return known
    const prepared = this.#read(text)
    if (text.length <= REMEMBERED.each) this.#remember(text, prepared)
    return prepared
  }

  #read(text: string): Prepared {
    let document: DocumentNode | undefined
    try {
      document = parse(text, { maxTokens: this.#limits.tokens })
      const asks = measure(document, this.#limits)
      const errors = validate(this.#schema, document, specifiedRules, {
        maxErrors: this.#limits.errors,
        // "Did you mean" would tell the names of the schema to whoever may not read it.
        hideSuggestions: true,
      })
      if (errors.length > 0) return { document, errors }
      checkLiterals(document)
      return { document, ...asks, operations: this.#operations(document) }
    } catch (error) {
      return { document, errors: [this.#named(error)] }
    }
  }

  #operations(document: DocumentNode): PreparedOperation[] {
    return document.definitions
      .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
      .map((node) => ({
        name: node.name?.value,
        type: node.operation,
        isDry: isDryRun(node),
        viewAs: (variables) => viewAsOf(this.#schema, node, variables),
        cost: costOf(this.#schema, document, node),
        extra: node.operation === OperationTypeNode.MUTATION ? 9 * node.selectionSet.selections.length : 0,
        patience: patienceOf(this.#schema, node),
        checkPages: pageCheckOf(this.#schema, document, node),
      }))
  }

  #named(error: unknown): Error {
    if (error instanceof GraphQLError && / more that \d+ tokens/.test(error.message)) {
      return new TooCostlyError(`The operation has more than ${this.#limits.tokens} tokens.`)
    }
    return error instanceof Error ? error : new TypeError('reading a document threw something else')
  }

  #remember(text: string, prepared: Prepared): void {
    this.#known.set(text, prepared)
    this.#characters += text.length
    for (const oldest of this.#known.keys()) {
      if (this.#characters <= REMEMBERED.all) return
      this.#known.delete(oldest)
      this.#characters -= oldest.length
    }
  }
}

/**
 * The operation to run. Throws BadInputError naming `operationName` when the document has none of that name,
 * or several and no name was given.
 */
export function operationOf(
  { operations }: PreparedDocument,
  name: string | null | undefined,
): PreparedOperation {
  const [first] = operations
  if (first && operations.length === 1 && name == null) return first
  const found = operations.find((operation) => operation.name === (name ?? undefined))
  if (found && (name != null || operations.length === 1)) return found
  const names = operations.map((operation) => operation.name ?? 'an unnamed one').join(', ')
  const message =
    operations.length === 0
      ? 'The document has no operation.'
      : `operationName must name one operation of the document: ${names}.`
  throw new BadInputError('operationName', message)
}
