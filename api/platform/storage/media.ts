/** What sort of file something is. */
export type MediaKind = 'IMAGE' | 'PDF' | 'AUDIO' | 'VIDEO'

interface Media {
  readonly kind: MediaKind
  /** Whether a file that begins so can be of this type. */
  begins(head: Buffer): boolean
}

/** How many bytes of the beginning tell the type. */
export const HEAD_BYTES = 16

const bytes =
  (at: number, ...expected: readonly number[]) =>
  (head: Buffer) =>
    expected.every((byte, i) => head[at + i] === byte)
const text = (at: number, expected: string) => bytes(at, ...Buffer.from(expected, 'latin1'))
const riff = (form: string) => (head: Buffer) => text(0, 'RIFF')(head) && text(8, form)(head)

/** A frame of MPEG audio: eleven bits set, and a layer that exists. */
const mpegFrame = (head: Buffer) =>
  head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0 && ((head[1] ?? 0) & 0x06) !== 0

/** What may be uploaded: nothing that a browser would run. The beginning has to be what the type says. */
const MEDIA: Readonly<Record<string, Media>> = {
  'image/png': { kind: 'IMAGE', begins: bytes(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a) },
  'image/jpeg': { kind: 'IMAGE', begins: bytes(0, 0xff, 0xd8, 0xff) },
  'image/gif': { kind: 'IMAGE', begins: (head) => text(0, 'GIF87a')(head) || text(0, 'GIF89a')(head) },
  'image/webp': { kind: 'IMAGE', begins: riff('WEBP') },
  'application/pdf': { kind: 'PDF', begins: text(0, '%PDF-') },
  'audio/mpeg': { kind: 'AUDIO', begins: (head) => text(0, 'ID3')(head) || mpegFrame(head) },
  'audio/mp4': { kind: 'AUDIO', begins: text(4, 'ftyp') },
  'audio/ogg': { kind: 'AUDIO', begins: text(0, 'OggS') },
  'audio/wav': { kind: 'AUDIO', begins: riff('WAVE') },
  'video/mp4': { kind: 'VIDEO', begins: text(4, 'ftyp') },
  'video/webm': { kind: 'VIDEO', begins: bytes(0, 0x1a, 0x45, 0xdf, 0xa3) },
}

/** The types that may be uploaded. */
export const MEDIA_TYPES: readonly string[] = Object.keys(MEDIA)

/** What sort of file a type is; undefined for one that is not taken. */
export function mediaKind(mediaType: string): MediaKind | undefined {
  return Object.hasOwn(MEDIA, mediaType) ? MEDIA[mediaType]?.kind : undefined
}

/** Whether a file that begins so can be of the type that it says. */
export function isMedia(mediaType: string, head: Buffer): boolean {
  return Object.hasOwn(MEDIA, mediaType) && (MEDIA[mediaType]?.begins(head) ?? false)
}
