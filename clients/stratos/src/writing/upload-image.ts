import { InvalidInputError } from '../errors.ts';
import { fieldOf } from '../http/fields.ts';
import { expected, procedure } from '../http/xrpc.ts';
import type { Session } from '../session/session.ts';

export interface Image {
  data: Blob | Uint8Array<ArrayBuffer>;
  /** What it shows, for those who do not see it; an empty text for what only decorates. */
  alt: string;
  /** So that a page can leave room for it. */
  aspectRatio?: { width: number; height: number } | undefined;
}

/** The reference of a record to bytes that were uploaded. */
export interface BlobRef {
  $type: 'blob';
  ref: { $link: string };
  mimeType: string;
  size: number;
}

/** An image as a post has it. */
export interface UploadedImage extends Pick<Image, 'alt' | 'aspectRatio'> {
  image: BlobRef;
}

const MAX_BYTES = 2_000_000;
const UPLOAD_MS = 60_000;

/**
 * Uploads an image to the node. It goes after an hour unless a post of the person shows it.
 *
 * @throws `InvalidInputError` `InvalidImage` for more than 2 MB or nothing, `RefusedError`, `UnreachableError`
 * @example
 * const image = await uploadImage(session, { data: png, alt: 'a single pixel' });
 * await writePost(session, { text: 'Look.', boundaries: [boundary], images: [image] });
 */
export async function uploadImage(
  session: Session,
  { data, alt, aspectRatio }: Image,
): Promise<UploadedImage> {
  const size = data instanceof Blob ? data.size : data.length;
  if (size === 0 || size > MAX_BYTES) {
    throw new InvalidInputError('InvalidImage', `an image has up to ${MAX_BYTES} bytes`);
  }
  const contentType = data instanceof Blob && data.type ? data.type : undefined;
  const answer = await procedure(session, 'com.atproto.repo.uploadBlob', {
    bytes: data,
    contentType,
    timeoutMs: UPLOAD_MS,
  });
  return { image: expected(answer, 'blob', isBlobRef), alt, ...(aspectRatio && { aspectRatio }) };
}

function isBlobRef(value: unknown): value is BlobRef {
  return (
    fieldOf(value, '$type') === 'blob' &&
    typeof fieldOf(fieldOf(value, 'ref'), '$link') === 'string' &&
    typeof fieldOf(value, 'mimeType') === 'string' &&
    typeof fieldOf(value, 'size') === 'number'
  );
}
