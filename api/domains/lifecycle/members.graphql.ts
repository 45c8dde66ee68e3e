import { builder } from '../../graph/builder.ts'
import { read } from '../../graph/read.ts'
import { BadInputError, ForbiddenError } from '../../platform/errors/index.ts'
import type { SqlCondition, SqlOrder } from '../../platform/read/index.ts'
import { AudienceInput, compileRule, parseRule, type Rule, scopesOf } from '../audiences/index.ts'
import { Member, MemberConnection } from '../members/index.ts'

// The list of members stands here and not in the members' room: two of its orders are the lifecycle's to know.

const MemberOrder = builder.enumType('MemberOrder', {
  description: 'How members are sorted.',
  values: {
    NEWEST: { description: 'Last registered first.' },
    OLDEST: { description: 'First registered first.' },
    COOLEST: { description: 'Lowest freshness first: whose rhythm is most overdue.' },
    MOST_EXPECTED_PURCHASES: {
      description: 'Most purchases expected in the next 90 days first: for whom acting pays.',
    },
  },
})

builder.queryField('members', (t) =>
  t.prismaConnection(
    {
      type: Member,
      nullable: true,
      description: 'Members, newest first unless asked otherwise.',
      authScopes: { lists: 'members:read' },
      cursor: 'tenantId_id',
      args: {
        filter: t.arg({ type: AudienceInput, description: 'Only members who match this rule.' }),
        search: t.arg.string({
          description: 'Only members whose name, e-mail address or external id contains this.',
        }),
        orderBy: t.arg({ type: MemberOrder, defaultValue: 'NEWEST', description: 'How they are sorted.' }),
      },
      resolve: (query, _root, { filter, search, orderBy }, { db, viewer }) => {
        const rule = filter == null ? null : parseRule(filter, 'filter')
        const missing = rule && [...scopesOf(rule)].find((scope) => !viewer?.can(scope))
        if (missing) throw new ForbiddenError(`This filter needs a token with the scope ${missing}.`)
        const where = [
          rule && matching(rule),
          search == null || search.trim() === '' ? null : containing(search),
        ]
        return read(db).member.findMany({
          ...query,
          // The reader's own words; Prisma's types do not know them.
          where: { AND: where.filter((sql) => sql !== null).map((sql) => ({ sql })) } as object,
          orderBy: [...ORDERS[orderBy ?? 'NEWEST']] as object[],
        })
      },
    },
    MemberConnection,
  ),
)

function matching(rule: Rule): SqlCondition {
  return (alias, param) => {
    const { values } = compileRule(rule)
    const [first = '$1'] = values.map(param)
    const { text } = compileRule(rule, Number(first.slice(1)))
    return `exists (select from member m where m.tenant_id = ${alias}.tenant_id and m.id = ${alias}.id and (${text}))`
  }
}

function containing(search: string): SqlCondition {
  if (search.length > 200) throw new BadInputError('search', 'search must have at most 200 characters.')
  const pattern = `%${search.trim().replace(/[\\%_]/g, '\\$&')}%`
  return (alias, param) => {
    const like = param(pattern)
    return `(${['display_name', 'external_id', 'email'].map((column) => `${alias}.${column} ilike ${like}`).join(' or ')})`
  }
}

const NOW = '(select tenant_now((select app_tenant())))'
const WEEK = "extract(epoch from interval '7 days')"

function ofRhythm(expression: string, direction: SqlOrder['direction']): { sql: SqlOrder } {
  return {
    sql: {
      direction,
      expression: (alias) =>
        `(select ${expression} from lifecycle_state s join freshness_model f on f.tenant_id = s.tenant_id where s.tenant_id = ${alias}.tenant_id and s.member_id = ${alias}.id)`,
    },
  }
}

const weeksFrom = (instant: string, to: string) =>
  `(greatest(0, extract(epoch from ${to} - ${instant})) / ${WEEK})::float8`

const ORDERS = {
  NEWEST: [{ registeredAt: 'desc' }, { id: 'desc' }],
  OLDEST: [{ registeredAt: 'asc' }, { id: 'asc' }],
  COOLEST: [
    ofRhythm(`freshness_score(s.rhythm_a, s.rhythm_b, s.rhythm_k, ${weeksFrom('s.last_at', NOW)})`, 'asc'),
    { id: 'asc' },
  ],
  MOST_EXPECTED_PURCHASES: [
    ofRhythm(
      `freshness_expected(f.r, f.alpha, f.a, f.b, s.rhythm_k, s.repeat_count, ${weeksFrom('s.first_at', 's.last_at')}, ${weeksFrom('s.first_at', NOW)}, 90.0 / 7)`,
      'desc',
    ),
    { id: 'desc' },
  ],
} as const
