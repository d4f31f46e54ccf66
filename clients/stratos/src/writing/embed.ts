import { InvalidInputError } from '../errors.ts';
import type { RecordRef } from './records.ts';
import type { UploadedImage } from './upload-image.ts';

/** A card of a web page. */
export interface ExternalCard {
  uri: string;
  title: string;
  description: string;
}

/** What a post shows: up to four images or a card, and a post that it quotes. */
export interface Shown {
  images?: readonly UploadedImage[] | undefined;
  external?: ExternalCard | undefined;
  quote?: RecordRef | undefined;
}

const MAX_IMAGES = 4;

/** The `embed` of a post; undefined where it shows nothing. Throws `InvalidInputError` `TooMany`. */
export function embedOf({ images = [], external, quote }: Shown): object | undefined {
  if (images.length > MAX_IMAGES || (images.length > 0 && external)) {
    throw new InvalidInputError('TooMany', `a post has up to ${MAX_IMAGES} images, or a card`);
  }
  const media =
    images.length > 0
      ? { $type: 'app.bsky.embed.images', images }
      : external && { $type: 'app.bsky.embed.external', external };
  if (!quote) return media;
  const record = { $type: 'app.bsky.embed.record', record: { uri: quote.uri, cid: quote.cid } };
  return media ? { $type: 'app.bsky.embed.recordWithMedia', record, media } : record;
}
