import type { Image } from '@stratos/client';

/** A picture that goes with a draft. */
export interface Picture {
  id: string;
  data: Blob;
  /** Where it is shown before it is sent; to be revoked. */
  url: string;
  alt: string;
  aspectRatio: NonNullable<Image['aspectRatio']>;
}

export const MAX_PICTURES = 4;
export const PICTURE_TYPES = 'image/png,image/jpeg,image/webp,image/avif,image/gif';
const MAX_BYTES = 2_000_000;
/** Pixels of the longer side. */
const MAX_SIDE = 2_000;
const QUALITIES = [0.92, 0.8, 0.6];

/**
 * A picture of a file, drawn anew: what a camera wrote into it, such as the place, is not in it any more.
 * Throws where it cannot be shown, or not be made small enough.
 */
export async function readPicture(file: Blob): Promise<Picture> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const data = await smallEnough(canvas, file.type === 'image/png' ? 'image/png' : 'image/jpeg');
  const url = URL.createObjectURL(data);
  return { id: crypto.randomUUID(), data, url, alt: '', aspectRatio: { width, height } };
}

async function smallEnough(canvas: OffscreenCanvas, type: string): Promise<Blob> {
  const exact = await canvas.convertToBlob({ type, quality: QUALITIES[0] });
  if (exact.size <= MAX_BYTES) return exact;
  for (const quality of QUALITIES) {
    const data = await canvas.convertToBlob({ type: 'image/jpeg', quality });
    if (data.size <= MAX_BYTES) return data;
  }
  throw new Error('The picture is too large');
}
