import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { HEAD_BYTES } from './media.ts'
import { type ByteRange, checkedKey, type Storage } from './port.ts'

/** A bucket of S3, or of anything that speaks its protocol. */
export interface S3Options {
  readonly bucket: string
  readonly region: string
  /** Of another provider; undefined: Amazon's. */
  readonly endpoint: string | undefined
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Keeps files in a bucket. They come and go between the bucket and whoever has a signed address. */
export function s3Storage({ bucket, region, endpoint, ...credentials }: S3Options): Storage {
  const client = new S3Client({
    region,
    credentials,
    // Providers beside Amazon rarely have a host for each bucket, or its newer checksums.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const at = (key: string) => ({ Bucket: bucket, Key: checkedKey(key) })
  const part = ({ start, end }: ByteRange) => ({ Range: `bytes=${start}-${end}` })
  const read = async (key: string, range?: ByteRange) => {
    const { Body } = await client.send(new GetObjectCommand({ ...at(key), ...(range && part(range)) }))
    if (!(Body instanceof Readable)) throw new TypeError('the bucket answered no stream')
    return Body
  }
  return {
    read,
    async look(key) {
      try {
        const { ContentLength = 0 } = await client.send(new HeadObjectCommand(at(key)))
        return { size: ContentLength, head: await buffer(await read(key, { start: 0, end: HEAD_BYTES - 1 })) }
      } catch (error) {
        if (error instanceof NotFound) return undefined
        throw error
      }
    },
    async delete(key) {
      await client.send(new DeleteObjectCommand(at(key)))
    },
    uploadUrl: (key, { mediaType, size, seconds }) =>
      getSignedUrl(
        client,
        new PutObjectCommand({ ...at(key), ContentType: mediaType, ContentLength: size }),
        { expiresIn: seconds, signableHeaders: new Set(['host', 'content-type', 'content-length']) },
      ),
    downloadUrl: (key, { mediaType, disposition, seconds }) =>
      getSignedUrl(
        client,
        new GetObjectCommand({
          ...at(key),
          ResponseContentType: mediaType,
          ResponseContentDisposition: disposition,
          ResponseCacheControl: 'private, no-store',
        }),
        { expiresIn: seconds },
      ),
  }
}
