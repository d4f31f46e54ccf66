import { type AtUri, type Did, isAtUri, isCid } from '@stratos/protocol';
import { app } from '@stratos/protocol/lexicons';
import type { BlobView, ExternalView, ImageView, PostView } from '@stratos/schema';
import { httpUrl } from './http-url.ts';
import { isJsonObject } from './json.ts';

const { external, images, record, recordWithMedia } = app.bsky.embed;

/** The post that the files are of, and its node. */
interface Holder {
  did: Did;
  rkey: string;
  node: Did;
}

type BlobRef = app.bsky.embed.images.Image['image'];

/**
 * The images of a post and the page that it points to. Anything else that it embeds is in its record alone.
 *
 * @param embed - as in a record, or anything else
 */
export function presentEmbed(
  embed: unknown,
  holder: Holder,
): { images: ImageView[]; external: ExternalView | null } {
  if (embed === undefined) return { images: [], external: null };
  const media = recordWithMedia.main.ifMatches(embed)?.media ?? embed;
  return {
    images: presentImages(images.main.ifMatches(media)?.images ?? [], holder),
    external: presentExternal(external.main.ifMatches(media)?.external, holder),
  };
}

/** The address of what a post quotes, whether there is such a post or not. */
export function quotedUri(post: Pick<PostView, 'record'>): AtUri | undefined {
  const { embed } = post.record;
  if (embed === undefined) return undefined;
  const isWithMedia = isJsonObject(embed) && embed['$type'] === recordWithMedia.$type;
  const uri = record.main.ifMatches(isWithMedia ? embed['record'] : embed)?.record.uri;
  return isAtUri(uri) ? uri : undefined;
}

function presentImages(all: app.bsky.embed.images.Image[], holder: Holder): ImageView[] {
  return all.flatMap(({ image, alt, aspectRatio }) => {
    const blob = presentBlob(image, holder);
    const { width, height } = aspectRatio ?? {};
    return blob ? [{ ...blob, alt, aspectRatio: width && height ? { width, height } : null }] : [];
  });
}

function presentExternal(
  card: app.bsky.embed.external.External | undefined,
  holder: Holder,
): ExternalView | null {
  const uri = httpUrl(card?.uri);
  if (!card || uri === null) return null;
  const { title, description, thumb } = card;
  return { uri, title, description, thumb: (thumb && presentBlob(thumb, holder)) ?? null };
}

function presentBlob(blob: BlobRef, { did, rkey, node }: Holder): BlobView | undefined {
  if (!('ref' in blob)) return undefined;
  const cid = blob.ref.toString();
  if (!isCid(cid)) return undefined;
  const { mimeType, size } = blob;
  return {
    cid,
    mimeType,
    size,
    path: `/blob/${[node, did, rkey, cid].map(encodeURIComponent).join('/')}`,
  };
}
