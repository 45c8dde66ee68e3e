import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql'
import type { Viewer } from '../platform/auth/viewer.ts'
import type { CostLimits } from '../platform/config.ts'
import {
  BadInputError,
  ForbiddenError,
  TooCostlyError,
  UnauthenticatedError,
} from '../platform/errors/index.ts'
import { Budgets, type CostReport, type Payer, type Reservation } from './budget.ts'
import type { Context } from './context.ts'
import { evaluate, type Variables } from './cost.ts'
import { Deadlines } from './deadlines.ts'
import { Documents, operationOf, type PreparedOperation } from './documents.ts'
import { LIMITS, type Limits } from './limits.ts'
import { NotByGetError, present } from './present.ts'
import { checkText } from './storable.ts'
import { Stream } from './stream.ts'
import { mayViewAs, type ViewAs } from './view-as.ts'

/** A request for one operation, as every transport brings it. */
export interface GraphRequest {
  readonly query: string
  readonly variables?: Variables | null | undefined
  readonly operationName?: string | null | undefined
}

/** Who brings it, and how. */
export interface Caller {
  /** Null when anonymous. */
  readonly viewer: Viewer | null
  /** The address of the other end: anonymous callers share a budget by it. */
  readonly address: string
  readonly requestId: string
  /** What the transport can carry; a query always. */
  readonly mayMutate: boolean
  readonly mayStream: boolean
}

/** An answer: an execution result whose errors are fit to be seen, and what it cost. */
export interface Answer extends ExecutionResult {
  errors?: readonly GraphQLError[]
  extensions?: { cost: CostReport; dryRun?: true; viewAs?: true }
}

/** What a dry run is told of the request. */
export interface DryRunAbout {
  readonly requestId: string
  readonly milliseconds: number
}

/** What an engine is made of. */
export interface EngineOptions {
  readonly schema: GraphQLSchema
  /** Makes the context of one request or one delivered event. Asked anew each time: nothing is remembered. */
  context(viewer: Viewer | null, requestId: string): Context | Promise<Context>
  /** Runs the work in a context all of whose doings are undone, within so many milliseconds. */
  dryRun<T>(viewer: Viewer, about: DryRunAbout, work: (context: Context) => Promise<T>): Promise<T>
  /** Runs a query in the context of a member, made up as told; nothing of it stays. */
  viewAs<T>(
    viewer: Viewer,
    about: DryRunAbout,
    as: ViewAs,
    work: (context: Context) => Promise<T>,
  ): Promise<T>
  readonly cost: CostLimits
  readonly limits?: Partial<Limits>
  /** Told each fault of ours once; it must not throw. */
  onFault(error: unknown, about: { requestId: string; path: string | undefined }): void
}

/** One request on its way through the engine. */
interface Run {
  readonly caller: Caller
  readonly document: DocumentNode | undefined
}

/**
 * Runs operations. All transports go through it, so all have the same limits, budgets, rights and errors.
 * Nothing here knows HTTP.
 */
export class Engine {
  readonly #options: EngineOptions
  readonly schema: GraphQLSchema
  readonly limits: Limits
  readonly #documents: Documents
  readonly #budgets: Budgets
  readonly #deadlines: Deadlines

  constructor(options: EngineOptions) {
    this.#options = options
    this.schema = options.schema
    this.limits = { ...LIMITS, ...options.limits }
    this.#documents = new Documents(options.schema, this.limits)
    this.#budgets = new Budgets(options.cost)
    this.#deadlines = new Deadlines(this.limits.milliseconds)
  }

  /** Runs a query or mutation, or opens a subscription. Never rejects. */
  async run(request: GraphRequest, caller: Caller): Promise<Answer | Stream<Answer>> {
    let reservation: Reservation | undefined
    const prepared = this.#documents.prepare(request.query)
    const { document } = prepared
    try {
      if ('errors' in prepared) return this.#refused(prepared.errors, { caller, document })
      const operation = operationOf(prepared, request.operationName)
      if (prepared.isIntrospective) mayIntrospect(caller)
      mayCarry(operation, caller)
      const variables = request.variables ?? {}
      checkText(variables, prepared.document)
      operation.checkPages?.(variables, caller.viewer?.tenant.id)
      const cost = evaluate(operation.cost, variables)
      reservation = this.#budgets.reserve(payer(caller), cost)
      const args: ExecutionArgs = {
        schema: this.schema,
        document: prepared.document,
        variableValues: request.variables,
        operationName: request.operationName,
        hideSuggestions: true,
      }
      if (operation.isDry && caller.viewer) {
        const done = await this.#dryRun(args, caller.viewer, caller.requestId)
        return withMark(this.#finish(done, { caller, document, operation, reservation }), 'dryRun')
      }
      const viewAs = operation.viewAs(variables)
      if (viewAs) {
        mayViewAs(caller.viewer)
        const about = { requestId: caller.requestId, milliseconds: this.limits.milliseconds }
        const done = await this.#options.viewAs(caller.viewer, about, viewAs, async (contextValue) =>
          execute({ ...args, contextValue }),
        )
        return withMark(this.#finish(done, { caller, document, operation, reservation }), 'viewAs')
      }
      const making = this.#options.context(caller.viewer, caller.requestId)
      const context = making instanceof Promise ? await making : making
      // Read later, events between the snapshot and it would be lost to whoever follows from there.
      if (prepared.isDated && context.viewer) await context.asOf()
      args.contextValue = context
      if (operation.type === OperationTypeNode.SUBSCRIPTION) {
        return await this.#subscribe(args, { caller, cost, reservation })
      }
      const result = execute(args)
      const done = result instanceof Promise ? await this.#inTime(result, operation) : result
      return this.#finish(done, { caller, document, operation, reservation })
    } catch (error) {
      reservation?.settle(0)
      return this.#refused([error], { caller, document })
    }
  }

  /** An answer to a request that cannot run, with the error as the caller may see it. */
  refuse(error: unknown, requestId: string): Answer {
    return { errors: [this.#present(error, requestId, { isRefused: true })] }
  }

  #refused(errors: readonly unknown[], { caller, document }: Run): Answer {
    const about = { isRefused: true, document }
    return { errors: errors.map((error) => this.#present(error, caller.requestId, about)) }
  }

  #finish(
    result: ExecutionResult,
    {
      caller,
      document,
      operation,
      reservation,
    }: Run & { operation: PreparedOperation; reservation: Reservation },
  ): Answer {
    const cost = reservation.settle(result.data ? fieldsIn(result.data) + operation.extra : 0)
    if (!result.errors) return { data: result.data ?? null, extensions: { cost } }
    const about = { isRefused: !('data' in result), document }
    const errors = result.errors.map((error) => this.#present(error, caller.requestId, about))
    return { errors, ...('data' in result && { data: result.data }), extensions: { cost } }
  }

  #dryRun(args: ExecutionArgs, viewer: Viewer, requestId: string): Promise<ExecutionResult> {
    const about = { requestId, milliseconds: this.limits.milliseconds }
    return this.#options.dryRun(viewer, about, async (contextValue) => execute({ ...args, contextValue }))
  }

  async #subscribe(
    args: ExecutionArgs,
    { caller, cost, reservation }: { caller: Caller; cost: number; reservation: Reservation },
  ): Promise<Answer | Stream<Answer>> {
    const source = await createSourceEventStream(args)
    if (!(Symbol.asyncIterator in source)) {
      reservation.settle(0)
      return this.#refused(source.errors ?? [], { caller, document: args.document })
    }
    reservation.settle(cost)
    const about = { isRefused: false, document: args.document }
    return new Stream<Answer>(source, {
      // What must be delivered is delivered, but no faster than its token's budget regains.
      wait: () => this.#budgets.charge(payer(caller), cost) * 1000,
      answer: async (event) => {
        const contextValue = await this.#options.context(caller.viewer, caller.requestId)
        const result = await this.#inTime(execute({ ...args, rootValue: event, contextValue }))
        if (!result.errors) return { data: result.data ?? null }
        const errors = result.errors.map((error) => this.#present(error, caller.requestId, about))
        return { data: result.data ?? null, errors }
      },
      failed: (error) => ({ errors: [this.#present(error, caller.requestId, about)] }),
    })
  }

  /** Answers after the time limit although the work goes on; each of its statements has a limit of its own. */
  #inTime(
    running: ExecutionResult | Promise<ExecutionResult>,
    { patience }: { readonly patience: number } = { patience: 0 },
  ): ExecutionResult | Promise<ExecutionResult> {
    if (!(running instanceof Promise)) return running
    const milliseconds = Math.max(patience, this.limits.milliseconds)
    const late = () => {
      const seconds = milliseconds / 1000
      return new TooCostlyError(
        `This took longer than ${seconds} seconds; a mutation may be done all the same.`,
      )
    }
    return this.#deadlines.within(running, late, milliseconds)
  }

  #present(
    error: unknown,
    requestId: string,
    about: { isRefused: boolean; document?: DocumentNode | undefined },
  ): GraphQLError {
    return present(error, {
      ...about,
      schema: this.schema,
      requestId,
      onFault: (fault, path) => this.#options.onFault(fault, { requestId, path }),
    })
  }
}

function withMark(answer: Answer, mark: 'dryRun' | 'viewAs'): Answer {
  return answer.extensions ? { ...answer, extensions: { ...answer.extensions, [mark]: true } } : answer
}

function payer({ viewer, address }: Caller): Payer {
  return viewer
    ? { token: viewer.tokenKey, tenant: viewer.tenant.id }
    : { token: `anonymous ${address}`, tenant: 'anonymous' }
}

function mayCarry({ type }: PreparedOperation, { mayMutate, mayStream }: Caller): void {
  if (type === OperationTypeNode.MUTATION && !mayMutate) {
    throw new NotByGetError()
  }
  if (type === OperationTypeNode.SUBSCRIPTION && !mayStream) {
    throw new BadInputError(
      'query',
      'A subscription needs graphql-ws, or a request that accepts text/event-stream.',
    )
  }
}

function mayIntrospect({ viewer }: Caller): void {
  if (viewer?.can('introspect')) return
  const message = 'Reading the schema needs a staff token with the scope introspect.'
  throw viewer ? new ForbiddenError(message) : new UnauthenticatedError(message)
}

/** Fields in an answer, however deep. */
function fieldsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += fieldsIn(item)
    return count
  }
  for (const name in value) count += 1 + fieldsIn((value as Record<string, unknown>)[name])
  return count
}
