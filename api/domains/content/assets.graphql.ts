import { completeValue } from '@pothos/core'
import { builder, type Types } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { eventType, factOf } from '../../graph/events.ts'
import { NOBODY } from '../../graph/own.ts'
import { read } from '../../graph/read.ts'
import { Contribution } from '../contributions/index.ts'
import { assetLinksPort, LINK_SECONDS } from './asset-links.ts'
import { assetProgressed } from './events.ts'

const AssetKind = builder.enumType('AssetKind', {
  description: 'What sort of file something is.',
  values: {
    IMAGE: { description: 'A picture.' },
    PDF: { description: 'A document.' },
    AUDIO: { description: 'Something to hear.' },
    VIDEO: { description: 'Something to watch.' },
  },
})

const AssetProgress = builder.prismaObject('AssetProgress', {
  fields: (t) => ({
    percent: t.exposeInt('percent'),
    place: t.exposeInt('place'),
    at: t.expose('at', { type: 'DateTime' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
  }),
})

/** A file; there for whom it belongs to, and for those who see what it is part of. */
export const Asset = builder.prismaNode('Asset', {
  nullable: true,
  description: 'A file; there for whoever uploaded it, and for those who see what it is part of.',
  id: { resolve: ({ id }) => id },
  findUnique: (id, context) => ({ tenantId_id: { tenantId: context.db.tenantId, id } }),
  authScopes: { reads: 'community:read' },
  select: { id: true },
  fields: (t) => ({
    kind: t.field({
      type: AssetKind,
      description: 'What sort of file it is.',
      select: { kind: true },
      resolve: ({ kind }) => kind as typeof AssetKind.$inferType, // a check constraint holds it
    }),
    name: t.exposeString('name'),
    mediaType: t.exposeString('mediaType'),
    size: t.float({
      description: 'How many bytes it has.',
      select: { size: true },
      resolve: ({ size }) => Number(size),
    }),
    isDownload: t.exposeBoolean('isDownload'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    storedAt: t.expose('storedAt', { type: 'DateTime', nullable: true }),
    url: t.string({
      nullable: true,
      description:
        'Where it is fetched, for 15 minutes and by whoever has the address; it is refused as soon as the viewer may not see it any more. Null until its bytes have come.',
      select: { id: true, state: true },
      resolve: ({ id, state }, _args, context) => (state === 'STORED' ? urlOf(context, id) : null),
    }),
    viewerProgress: t.field({
      type: AssetProgress,
      nullable: true,
      description: 'How far the viewer has come with it; null for staff, and before it began.',
      select: (_args, { viewer }, nestedSelection) => ({
        progress: { ...nestedSelection(true), where: { memberId: viewer?.memberId ?? NOBODY }, take: 1 },
      }),
      resolve: ({ progress }) => progress[0] ?? null,
    }),
  }),
})

/** The address of a file for the viewer. */
function urlOf(context: Context, asset: string): Promise<string> | string {
  const { db, viewer } = context
  const links = context.use(assetLinksPort)
  return completeValue(context.now(), (now) =>
    links.assetUrl({
      ...{
        tenant: db.tenantId,
        asset,
        member: viewer?.kind === 'MEMBER' ? (viewer.memberId ?? NOBODY) : null,
      },
      until: new Date(now.getTime() + LINK_SECONDS.asset * 1000),
    }),
  )
}

builder.prismaInterfaceField(Contribution, 'assets', (t) =>
  t.relation('assets', {
    type: Asset,
    nullable: true,
    description: 'The files that are part of it, in their order. At most 20.',
    query: { orderBy: [{ position: 'asc' }], take: 20 },
  }),
)

builder.queryField('downloads', (t) =>
  t.prismaField({
    type: [Asset],
    nullable: true,
    description: 'The files that are handed out to whoever fills in a form, the newest first. At most 100.',
    authScopes: { lists: 'community:read' },
    resolve: (query, _root, _args, { db }) =>
      read(db).asset.findMany({ ...query, where: { isDownload: true }, orderBy: { id: 'desc' }, take: 100 }),
  }),
)

/** `asset` of payloads. */
export const assetOf = <Payload extends { readonly asset: string }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<Types, Payload>,
) =>
  t.prismaField({
    type: Asset,
    nullable: true,
    description: 'The file, as it is now.',
    resolve: (query, { asset }, _args, { db }) =>
      read(db).asset.findFirst({ ...query, where: { id: asset } }),
  })

eventType(assetProgressed, (t) => ({
  asset: t.prismaField({
    type: Asset,
    nullable: true,
    description: 'The file, as it is now.',
    resolve: (query, event, _args, { db }) =>
      read(db).asset.findFirst({ ...query, where: { id: factOf(event, 'asset') } }),
  }),
  percent: t.int({
    description: 'Which quarter was reached: 25, 50, 75 or 100.',
    resolve: (event) => Number(factOf(event, 'percent')),
  }),
}))
