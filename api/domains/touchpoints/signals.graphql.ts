import { builder } from '../../graph/builder.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { read } from '../../graph/read.ts'
import { connectionOf } from '../../graph/relay.ts'
import { ReceiptKind } from '../channels/index.ts'
import { Member } from '../members/index.ts'
import { Delivery } from './deliveries.graphql.ts'
import { signalReceived } from './signals.events.ts'

const BouncePermanence = builder.enumType('BouncePermanence', {
  description: 'Whether a message that came back would come back again.',
  values: {
    PERMANENT: { value: 'permanent', description: 'It would.' },
    TRANSIENT: { value: 'transient', description: 'Another time it may arrive.' },
    UNDETERMINED: { value: 'undetermined', description: 'The report does not tell.' },
  },
})

const MachineVerdict = builder.enumType('MachineVerdict', {
  description: 'Whether a machine did it rather than a person.',
  values: {
    LIKELY: {
      value: 'likely',
      description: 'A machine probably did: a scanner, a prefetch, an automatic reply.',
    },
    UNLIKELY: { value: 'unlikely', description: 'A person probably did.' },
    UNKNOWN: { value: 'unknown', description: 'Nobody can tell.' },
  },
})

const ReplyIntent = builder.enumType('ReplyIntent', {
  description: 'What a reply asks for.',
  values: {
    STOP: { value: 'stop', description: 'To get no more of these messages.' },
    START: { value: 'start', description: 'To get them again. It consents to nothing by itself.' },
    HELP: { value: 'help', description: 'How it works.' },
    OTHER: { value: 'other', description: 'Something else: a person should read it.' },
  },
})

const SignalEffect = builder.enumType('SignalEffect', {
  description: 'What followed from a signal, besides the state of its delivery.',
  values: {
    SUPPRESSED: { description: 'Nothing more goes to the address, or to the member through this channel.' },
    LIFTED: { description: 'It may be written to again.' },
    WITHDRAWN: { description: 'Consent to marketing through this channel was withdrawn.' },
  },
})

const Signal = builder.prismaNode('Signal', {
  id: { resolve: ({ id }) => id },
  nullable: true,
  findUnique: (id, { db }) => ({ tenantId_id: { tenantId: db.tenantId, id } }),
  // How the tenant's channels work, like deliveries: not for members.
  authScopes: { lists: 'touchpoints:read' },
  select: { id: true },
  fields: (t) => ({
    channel: t.exposeString('channel'),
    kind: t.field({
      type: ReceiptKind,
      description: 'What was reported.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof ReceiptKind.$inferType, // a check constraint holds it, and those below
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime' }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime' }),
    member: t.relation('member', { nullable: true, description: 'Whom it is about, when that is known.' }),
    delivery: t.relation('delivery', {
      nullable: true,
      description: 'The delivery that it is about, when that is known.',
    }),
    permanence: t.field({
      type: BouncePermanence,
      nullable: true,
      description: 'Of a message that came back: whether it would again.',
      select: { permanence: true },
      resolve: ({ permanence }) => permanence as typeof BouncePermanence.$inferType | null,
    }),
    status: t.exposeString('status', {
      nullable: true,
      description: 'Of a returned mail: the enhanced status code, such as 5.1.1.',
    }),
    machine: t.field({
      type: MachineVerdict,
      nullable: true,
      description: 'Whether a machine did it, where that is a question.',
      select: { machine: true },
      resolve: ({ machine }) => machine as typeof MachineVerdict.$inferType | null,
    }),
    replyText: t.exposeString('replyText', { nullable: true, description: 'What the member wrote.' }),
    replyIntent: t.field({
      type: ReplyIntent,
      nullable: true,
      description: 'What the member asks for with it.',
      select: { replyIntent: true },
      resolve: ({ replyIntent }) => replyIntent as typeof ReplyIntent.$inferType | null,
    }),
    effects: t.field({
      type: [SignalEffect],
      description: 'What followed, besides the state of the delivery. At most 3.',
      select: { effects: true },
      resolve: ({ effects }) => effects as (typeof SignalEffect.$inferType)[],
    }),
    raw: t.expose('raw', {
      type: 'JSON',
      nullable: true,
      description: 'What the provider sent, shortened. For staff.',
      authScopes: { staff: 'touchpoints:read' },
    }),
  }),
})

const SignalConnection = connectionOf(Signal, 'Signal')

builder.prismaObjectField(Member, 'signals', (t) =>
  t.relatedConnection(
    'signals',
    {
      type: Signal,
      description: 'What channels reported of the member and of what was sent, newest first.',
      nullable: true,
      authScopes: { lists: 'touchpoints:read' },
      cursor: 'tenantId_id',
      query: { orderBy: { occurredAt: 'desc' } },
    },
    SignalConnection,
  ),
)

builder.prismaObjectField(Delivery, 'signals', (t) =>
  t.relatedConnection(
    'signals',
    {
      type: Signal,
      description: 'What was reported of it, newest first.',
      nullable: true,
      cursor: 'tenantId_id',
      query: { orderBy: { occurredAt: 'desc' } },
    },
    SignalConnection,
  ),
)

eventType(signalReceived, (t) => ({
  signal: t.prismaField({
    type: Signal,
    nullable: true,
    description: 'What was reported.',
    resolve: (query, event, _args, { db }) =>
      read(db).signal.findFirst({ ...query, where: { id: factOf(event, 'signal') } }),
  }),
}))
