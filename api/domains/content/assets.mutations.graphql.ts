import { builder } from '../../graph/builder.ts'
import type { Context } from '../../graph/context.ts'
import { idOf } from '../../graph/ids.ts'
import { text } from '../../graph/input.ts'
import { mutation } from '../../graph/mutation.ts'
import {
  AccessDeniedError,
  AssetUnfitError,
  BadInputError,
  MembershipEndedError,
} from '../../platform/errors/index.ts'
import { storagePort } from '../../platform/storage/index.ts'
import { contributionOf, contributionRef, writerOf } from '../contributions/index.ts'
import { MemberByInput, memberOf, ownOrWrites, subjectOf } from '../members/index.ts'
import { assetLinksPort, LINK_SECONDS } from './asset-links.ts'
import { assetOf } from './assets.graphql.ts'
import { attachAsset, beginAsset, lookAtUpload, noteProgress } from './assets.service.ts'

interface Upload {
  readonly url: string
  readonly mediaType: string
  readonly until: Date
}

const AssetUpload = builder.objectRef<Upload>('AssetUpload').implement({
  description: 'Where the bytes of a file are put, once, with the method PUT.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'The address; whoever has it may use it.' }),
    contentType: t.exposeString('mediaType', { description: 'What the header Content-Type has to say.' }),
    expiresAt: t.expose('until', { type: 'DateTime', description: 'Until when it is good.' }),
  }),
})

async function uploadTo(
  context: Context,
  { asset, mediaType, size }: { readonly asset: string; readonly mediaType: string; readonly size: number },
): Promise<Upload> {
  const until = new Date((await context.now()).getTime() + LINK_SECONDS.upload * 1000)
  const tenant = context.db.tenantId
  const key = `${tenant}/${asset}`
  const signed = { mediaType, size, seconds: LINK_SECONDS.upload }
  const url =
    (await context.use(storagePort).uploadUrl?.(key, signed)) ??
    context.use(assetLinksPort).uploadUrl({ tenant, asset, until })
  return { url, mediaType, until }
}

mutation('createUpload', {
  description:
    "Announces a file: a picture (PNG, JPEG, GIF, WebP), a PDF, sound (MP3, MP4, Ogg, WAV) or film (MP4, WebM). It is uploaded to the address that is answered, and goes after a day when it is part of nothing by then. Needs: a member's token, or `content:write`. Emits: nothing.",
  scopes: ownOrWrites('content:write'),
  errors: [],
  key: 'none',
  input: (t) => ({
    name: t.string({
      required: true,
      description: 'What it is called, as in manual.pdf; 1 to 200 characters.',
    }),
    mediaType: t.string({ required: true, description: 'What its bytes are, as in application/pdf.' }),
    size: t.int({ required: true, description: 'How many bytes it has.' }),
    isDownload: t.boolean({
      description: 'True hands it out to whoever fills in a form; for staff alone.',
    }),
  }),
  resolve: async ({ name, mediaType, size, isDownload }, context) => {
    const writer = writerOf(context)
    if (isDownload && writer.member !== null) {
      throw new BadInputError('input.isDownload', 'input.isDownload is for staff.')
    }
    const announced = {
      name: text(name, 'input.name', 200),
      mediaType,
      size,
      isDownload: isDownload ?? false,
    }
    const { asset } = await beginAsset(context.db, announced, writer)
    return { asset, upload: await uploadTo(context, { asset, mediaType, size }) }
  },
  payload: (t) => ({
    asset: assetOf(t),
    upload: t.expose('upload', {
      type: AssetUpload,
      nullable: true,
      description: 'Where its bytes are put.',
    }),
  }),
})

mutation('attachAsset', {
  description:
    'Makes an uploaded file part of what one wrote in a space; those who see that see the file. Needs: whoever wrote it and uploaded the file, or `content:write`. Emits: nothing.',
  scopes: ownOrWrites('content:write'),
  errors: [AccessDeniedError, AssetUnfitError],
  key: 'none',
  input: (t) => ({
    asset: t.id({ required: true, description: 'Which file.' }),
    to: t.id({ required: true, description: 'To which post, comment, question, answer or content.' }),
  }),
  resolve: async ({ asset, to }, context) => {
    const { member } = writerOf(context)
    const id = idOf('Asset', asset, 'input.asset')
    const contribution = contributionRef(to, 'input.to')
    await lookAtUpload(context.db, id, { member, storage: context.use(storagePort) })
    return attachAsset(context.db, { asset: id, to: contribution }, member)
  },
  payload: (t) => ({ asset: assetOf(t), contribution: contributionOf(t) }),
})

mutation('recordAssetProgress', {
  description:
    "Notes how far a member has come with a file; the farthest counts, and each quarter is told once. Needs: a member's token, for its own, or `content:write`. Emits: `asset.progressed`.",
  scopes: ownOrWrites('content:write'),
  errors: [MembershipEndedError],
  key: 'none',
  input: (t) => ({
    member: t.field({ type: MemberByInput, description: "Whose; a member's own when left out." }),
    asset: t.id({ required: true, description: 'With which file.' }),
    percent: t.int({ required: true, description: 'How much of it, from 0 to 100.' }),
    place: t.int({ description: 'Where the member is, in seconds or pages; 0 when left out.' }),
  }),
  resolve: ({ member, asset, percent, place }, context) =>
    noteProgress(context.db, {
      asset: idOf('Asset', asset, 'input.asset'),
      member: subjectOf(member, context),
      percent: between(percent, 0, 100, 'input.percent'),
      place: between(place ?? 0, 0, 1_000_000, 'input.place'),
    }),
  payload: (t) => ({ asset: assetOf(t), member: memberOf(t) }),
})

function between(value: number, least: number, most: number, field: string): number {
  if (value >= least && value <= most) return value
  throw new BadInputError(field, `${field} must be from ${least} to ${most}; it is ${value}.`)
}

const AssetUnfitReason = builder.enumType('AssetUnfitReason', {
  description: 'Why a file cannot become part of something.',
  values: {
    NOT_UPLOADED: { description: 'Its bytes have not come.' },
    NOT_AS_ANNOUNCED: { description: 'Its bytes are not of the type or the size that was announced.' },
    TAKEN: { description: 'It is part of something else, or not there.' },
    TOO_MANY: { description: 'That has 20 files already.' },
  },
})

// Named apart from the reason of what is denied, beside which it may be selected.
builder.objectField(AssetUnfitError, 'assetReason', (t) =>
  t.field({ type: AssetUnfitReason, description: 'Why.', resolve: ({ reason }) => reason }),
)
