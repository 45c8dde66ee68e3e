import { builder } from '../../graph/builder.ts'
import { MemberByInput, subjectOf } from '../members/index.ts'
import { EXPORT_PAGE, type ExportEntry, type ExportPage, exportPage } from './export.ts'

const MemberExportEntry = builder.objectRef<ExportEntry>('MemberExportEntry').implement({
  description: 'One thing that is known of a member.',
  fields: (t) => ({
    section: t.exposeString('section', { description: 'What kind of thing, such as purchase.' }),
    data: t.field({
      type: 'JSON',
      description: 'All that is kept of it, by name.',
      resolve: ({ data }) => data,
    }),
  }),
})

const MemberExport = builder.objectRef<ExportPage>('MemberExport').implement({
  description: 'A page of everything that is known of a member.',
  fields: (t) => ({
    entries: t.field({
      type: [MemberExportEntry],
      description: `What is known, section by section; at most ${EXPORT_PAGE}.`,
      resolve: ({ entries }) => [...entries],
    }),
    next: t.exposeString('next', {
      nullable: true,
      description: 'Where the next page begins; null when this was all.',
    }),
  }),
})

builder.queryField('exportMember', (t) =>
  t.field({
    type: MemberExport,
    nullable: true,
    description:
      'Everything that the member gave and has: facts, addresses, consents, purchases, points, what it wrote and follows. Ask until there is no next page. A member is told its own, without what is the staff’s alone; for others it takes `members:export`, which opens all of it, whatever other scopes there are.',
    authScopes: { $any: { member: true, reads: 'members:export' } },
    args: {
      member: t.arg({ type: MemberByInput, description: 'Whose; a member’s own when left out.' }),
      after: t.arg.string({ description: 'The next of the page before.' }),
    },
    resolve: (_root, { member, after }, context) =>
      exportPage(context.db, subjectOf(member, context, 'member'), {
        after: after ?? null,
        isOwn: context.viewer?.kind === 'MEMBER',
      }),
  }),
)
