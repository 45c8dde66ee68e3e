import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  isUnionType,
} from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../api/schema.ts'

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
)
const objects = types.filter(isObjectType)
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]

type AnyField = GraphQLField<unknown, unknown>
/** Every output field with its coordinate, interfaces too. */
const fields: readonly (readonly [at: string, field: AnyField, type: GraphQLObjectType | undefined])[] =
  types.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields()).map(
          (field) => [`${type.name}.${field.name}`, field, isObjectType(type) ? type : undefined] as const,
        )
      : [],
  )

/** What a part of the schema says of itself, with its coordinate. */
function descriptions(): [at: string, description: string | null | undefined][] {
  return types.flatMap((type) => {
    const own: [string, string | null | undefined][] = [[type.name, type.description]]
    if (isEnumType(type)) {
      own.push(
        ...type
          .getValues()
          .map((it) => [`${type.name}.${it.name}`, it.description] as [string, string | null]),
      )
    }
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        own.push([`${type.name}.${field.name}`, field.description])
        if ('args' in field) {
          for (const arg of field.args) own.push([`${type.name}.${field.name}(${arg.name})`, arg.description])
        }
      }
    }
    return own
  })
}

test('everything says what it is, in a sentence', () => {
  const all = descriptions()
  const silent = all.filter(([, description]) => !/^[`"A-Z0-9][\s\S]*[.)]$/.test(description?.trim() ?? ''))
  expect(all.length).toBeGreaterThan(500)
  expect(silent.map(([at, description]) => `${at}: ${description}`)).toEqual([])
})

test('a mutation takes one input and answers its own nullable result', () => {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {})
  const wrong = mutations.filter(({ name, args, type }) => {
    const Name = name.slice(0, 1).toUpperCase() + name.slice(1)
    const [input] = args
    return (
      args.length !== 1 ||
      input?.name !== 'input' ||
      `${input.type}` !== `${Name}Input!` ||
      `${type}` !== `${Name}Result`
    )
  })
  expect(mutations.length).toBeGreaterThan(10)
  expect(wrong.map(({ name }) => name)).toEqual([])
})

test('a mutation says what it needs and what it emits', () => {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {})
  const wrong = mutations.filter(
    ({ description }) =>
      !/ Needs: .+\. Emits: (`[a-z_.]+`(, | and )?)+\.$| Needs: .+\. Emits: nothing\.$/.test(
        description ?? '',
      ),
  )
  expect(wrong.map(({ name, description }) => `${name}: ${description}`)).toEqual([])
})

test('a result is its payload, NotFoundError, or another error', () => {
  const results = types.filter(isUnionType).filter(({ name }) => name.endsWith('Result'))
  const wrong = results.filter((result) => {
    const members = result.getTypes()
    const errors = members.filter((member) => member.getInterfaces().some(({ name }) => name === 'Error'))
    const payload = members.find(({ name }) => name === result.name.replace(/Result$/, 'Payload'))
    return (
      !payload || errors.length !== members.length - 1 || !errors.some(({ name }) => name === 'NotFoundError')
    )
  })
  expect(results.length).toBeGreaterThan(10)
  expect(wrong.map(({ name }) => name)).toEqual([])
})

test('objects in payloads, errors and events are nullable', () => {
  const lifeless = new Set(['CaptureHoldPayload'])
  const wrong = fields.filter(([, { type }, owner]) => {
    const isSide = owner && (/(Payload|Error)$/.test(owner.name) || implementsOf(owner, 'Event'))
    return isSide && !lifeless.has(owner.name) && isObjectType(getNamedType(type)) && isNonNullType(type)
  })
  expect(wrong.map(([at]) => at)).toEqual([])
})

test('every error has its facts', () => {
  const facts = Object.fromEntries(
    objects
      .filter((type) => implementsOf(type, 'Error'))
      .map((type) => [
        type.name,
        Object.keys(type.getFields())
          .filter((name) => !['message', 'code'].includes(name))
          .sort(),
      ]),
  )
  expect(facts).toMatchObject({
    NotFoundError: ['what'],
    InsufficientPointsError: ['available', 'required'],
    IdempotencyKeyReusedError: [],
    DuplicateOrderError: ['purchase'],
    HoldResolvedError: ['state'],
    HoldExpiredError: ['expiredAt'],
    MembershipEndedError: ['endedAt'],
    TransitionNotAllowedError: ['allowed', 'from', 'to'],
    RefundExceedsPurchaseError: ['refundable'],
    ConfirmationExpiredError: ['expiredAt'],
    OperatorLimitReachedError: ['left', 'limit', 'resetsAt'],
    AcceptedAnswerChangedError: ['answer'],
    OwnRequestError: [],
    AlreadyDecidedError: ['state'],
  })
  expect(
    objects.filter(({ name }) => name.endsWith('Error')).filter((type) => !implementsOf(type, 'Error')),
  ).toEqual([])
})

test('every event has its facts', () => {
  const facts = objects
    .filter((type) => implementsOf(type, 'Event'))
    .map((type) =>
      Object.keys(type.getFields())
        .filter((name) => !EVENT.includes(name))
        .sort()
        .join(' '),
    )
  expect(facts.sort()).toEqual(
    [
      '',
      '',
      ...Array(4).fill(''),
      'change',
      'decision',
      ...['introduction', 'introduction', 'message'],
      'from to',
      'end',
      'purchase',
      'amount purchase',
      'transaction wallet',
      'version',
      'hold',
      'transaction',
      'transaction',
      'points wallet',
      'adjustment',
      'adjustment',
      'note',
      'note',
      'notification',
      'touchpoint',
      'touchpoint',
      'space',
      'space',
      'comment',
      'content',
      'content',
      'dueAt series',
      'checklist',
      'checklist',
      'asset percent',
      'badge nth',
      'enrolment',
      'enrolment',
      'enrolment lesson',
      'contribution',
      'entry',
      'entry',
      'contribution kind',
      'contribution from to',
      'contribution',
      'contribution',
      'flag',
      'flag',
      'from to',
      ...Array(5).fill('question'),
      ...Array(4).fill('answer question'),
      'task',
      'reason touchpoint',
      'activity',
      'segment',
      'segment',
      'signal',
      'channel delivery state touchpoint',
      'channel purpose state',
      'address kind',
      'channel suppression',
      'campaign',
      'campaign from to',
      'coupon',
      'issued',
      'redemption',
      'redemption',
      'redemption',
      ...Array(4).fill('redemption'),
      'benefit',
      'benefit',
      'benefit use',
      ...Array(7).fill('offer receipt'),
      'offer remaining',
      ...Array(5).fill('referral'),
      ...['post', 'post', 'answer post', 'post status', 'post', 'post', 'research', 'research', 'feature'],
    ].sort(),
  )
})

const EVENT = ['id', 'type', 'at', 'bookedAt', 'member']

/** Types of their own life that need no scope, because nothing in them is anybody's. */
const PUBLIC: readonly string[] = []

test('a thing with a life of its own is private unless it says otherwise', () => {
  const nodes = objects.filter((type) => implementsOf(type, 'Node'))
  const open = nodes.filter((type) => scopesOf(type) === undefined && !PUBLIC.includes(type.name))
  expect(nodes.length).toBeGreaterThan(8)
  expect(open.map(({ name }) => name)).toEqual([])
})

/** Top-level fields that anybody may ask for; what they lead to has scopes of its own. */
const OPEN = ['Query.node', 'Query.nodes', 'Query.viewer']

test('a top-level field says who may use it', () => {
  const open = roots.flatMap((root) =>
    Object.values(root?.getFields() ?? {})
      .filter((field) => scopesOf(field) === undefined)
      .map(({ name }) => `${root?.name}.${name}`),
  )
  expect(open.sort()).toEqual(OPEN)
})

/** Fixed as non-null in the core: whoever sees a member sees its next touch. */
const FIXED = ['Member.nextTouch']

test('what can be refused by itself is nullable', () => {
  const wrong = fields.filter(
    ([at, field]) => isNonNullType(field.type) && scopesOf(field) && !at.startsWith('Subscription.'),
  )
  const questions = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(({ type }) =>
    isNonNullType(type),
  )
  expect(wrong.map(([at]) => at)).toEqual(FIXED)
  expect(questions.map(({ name }) => name)).toEqual(['nodes'])
})

test('a list is a connection, or says how long it can be', () => {
  const wrong = fields.filter(
    ([at, { type, description }]) =>
      isListType(getNullableType(type)) &&
      !/Connection\.(edges|nodes)$/.test(at) &&
      !/\bat most [\d,]+\b/i.test(description ?? ''),
  )
  expect(wrong.map(([at]) => at)).toEqual([])
})

test('a connection is nullable, has nodes, and counts nothing', () => {
  const connections = objects.filter(({ name }) => name.endsWith('Connection'))
  for (const connection of connections) {
    expect([connection.name, ...Object.keys(connection.getFields()).sort()]).toEqual([
      connection.name,
      'edges',
      'nodes',
      'pageInfo',
    ])
  }
  const wrong = fields.filter(([, { type, args }]) => {
    const names = args.map(({ name }) => name)
    const isPaged = ['first', 'after', 'last', 'before'].every((name) => names.includes(name))
    return getNamedType(type).name.endsWith('Connection') && (isNonNullType(type) || !isPaged)
  })
  expect(connections.length).toBeGreaterThan(4)
  expect(wrong.map(([at]) => at)).toEqual([])
})

test('names keep their promises', () => {
  const wrong = fields.filter(([, { name, type }]) => {
    const named = getNamedType(type).name
    if (/[a-z]At$/.test(name) && named !== 'DateTime') return true
    if (named === 'DateTime' && !/^(at|now|since)$|[a-z]At$/.test(name)) return true
    if (named === 'Boolean' && !/^(is|has|can|viewerCan)[A-Z]/.test(name)) return true
    // The tenant's own ids are words of the tenant, not references of ours.
    return /[a-z]Ids?$/.test(name) && !['externalId', 'orderId'].includes(name)
  })
  expect(wrong.map(([at]) => at)).toEqual([])
})

test('points and money are their own scalars', () => {
  const amounts = fields.filter(([, { name }]) =>
    /^(points|available|pending|held|debt|captured|released|required)$/.test(name),
  )
  const money = fields.filter(([, { name }]) => /^(total|amount|refunded|refundable)$/.test(name))
  expect(amounts.filter(([, { type }]) => getNamedType(type).name !== 'Points').map(([at]) => at)).toEqual([])
  expect(money.filter(([, { type }]) => getNamedType(type).name !== 'Minor').map(([at]) => at)).toEqual([])
  expect(amounts.length + money.length).toBeGreaterThan(10)
})

test('enums shout, types are nouns in capitals, fields are small', () => {
  const values = types.filter(isEnumType).flatMap((type) => type.getValues().map(({ name }) => name))
  expect(values.filter((name) => !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(name))).toEqual([])
  expect(types.filter(({ name }) => !/^[A-Z][A-Za-z0-9]*$/.test(name)).map(({ name }) => name)).toEqual([])
  expect(fields.filter(([, { name }]) => !/^[a-z][A-Za-z0-9]*$/.test(name)).map(([at]) => at)).toEqual([])
})

/** The only places where any JSON may go in or out. */
const JSON_PLACES = [
  'AccessDeniedError.unlock',
  'Activity.properties',
  'AddAddressInput.value',
  'AddIssuerInput.jwks',
  'Address.value',
  'AttributeRule.atLeast',
  'AttributeRule.atMost',
  'AttributeRule.equals',
  'AttributeRule.in',
  'BackTestInput.document',
  'Broadcast.audience',
  'Channel.config',
  'ChannelAddressInput.value',
  'ChannelRule.audience',
  'ConfigureChannelInput.config',
  'ConfigureContentCheckInput.config',
  'ConsentChange.proof',
  'ContentInput.data',
  'ContentLock.unlock',
  'EarnRule.rule',
  'GiveConsentInput.proof',
  'ImportProgramInput.document',
  'Member.attributes',
  'MemberExportEntry.data',
  'Permission.unlock',
  'Program.document',
  'ProgramChange.after',
  'ProgramChange.before',
  'RecordActivityInput.properties',
  'RegisterMemberInput.attributes',
  'RegisterProspectInput.proof',
  'Segment.rule',
  'SendTestInput.parameters',
  'SendTouchpointInput.parameters',
  'Signal.raw',
  'TemplatePreview.data',
  'TemplateText.data',
  'TemplateTextInput.data',
  'UpdateMemberInput.attributes',
  'WithdrawConsentInput.proof',
]

/** Fields and input fields of a type. */
function partsOf(type: GraphQLNamedType) {
  const parts =
    isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)
      ? Object.values(type.getFields())
      : []
  return parts as readonly Pick<AnyField, 'name' | 'type' | 'deprecationReason'>[]
}

test('free JSON is for declared attributes and the border to plugins', () => {
  const places = types.flatMap((type) =>
    partsOf(type)
      .filter((part) => getNamedType(part.type).name === 'JSON')
      .map(({ name }) => `${type.name}.${name}`),
  )
  expect(places.sort()).toEqual(JSON_PLACES)
})

test('a deprecation says what replaces it and when it goes', () => {
  const all = types.flatMap((type) => [...partsOf(type), ...(isEnumType(type) ? type.getValues() : [])])
  const reasons = all.map(({ deprecationReason }) => deprecationReason).filter((reason) => reason != null)
  expect(reasons.filter((reason) => !/^Use .+\. Goes after \d{4}-\d\d-\d\d\.$/.test(reason))).toEqual([])
})

test('scalars are those of the house', () => {
  expect(
    types
      .filter(isScalarType)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([
    'Amount',
    'CurrencyCode',
    'Cursor',
    'DateTime',
    'Duration',
    'JSON',
    'LocalDate',
    'LocalTime',
    'Minor',
    'Points',
    'TimeZone',
  ])
})

function implementsOf(type: GraphQLObjectType, name: string): boolean {
  return type.getInterfaces().some((it) => it.name === name)
}

/** The scopes that the builder was given for a type or a field. */
function scopesOf({ extensions }: { extensions: Readonly<Record<string, unknown>> }): unknown {
  return (extensions.pothosOptions as { authScopes?: unknown } | undefined)?.authScopes
}
