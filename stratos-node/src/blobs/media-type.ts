import { fileTypeFromBuffer } from 'file-type';

/** Bytes from the beginning of a file that show what it is. */
export const HEAD_BYTES = 4_100;

/** What is not known, or what a browser could run. */
const OPAQUE = 'application/octet-stream';
const TEXT = 'text/plain';

/** Formats in which scripts can hide. */
const RUNNABLE =
  /^(text\/(html|xml|xsl|javascript)|application\/(xml|javascript|ecmascript)|.+\+xml)$/;
const MARKUP = /^\uFEFF?\s*<[!?/a-z]/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: text has none of them
const CONTROL = /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/;

/**
 * The media type that a file's first bytes show, whatever it was said to be. Markup of any kind
 * (HTML, SVG, XML), and everything that is neither text nor of a known format, is
 * `application/octet-stream`.
 */
export async function mediaTypeOf(head: Uint8Array): Promise<string> {
  // @NOTE what its format forbids is of no known format
  const known = await fileTypeFromBuffer(head).catch(() => undefined);
  const [type = OPAQUE] = known?.mime.toLowerCase().split(';') ?? [isText(head) ? TEXT : OPAQUE];
  return RUNNABLE.test(type) ? OPAQUE : type;
}

/** Whether a list of media types, such as `image/*`, has a type. */
export function isMediaTypeIn(types: readonly string[], type: string): boolean {
  return types.some(
    (item) =>
      item === '*/*' ||
      item === type ||
      (item.endsWith('/*') && type.startsWith(item.slice(0, -1))),
  );
}

function isText(head: Uint8Array): boolean {
  try {
    // @NOTE the head may end within a character
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(head, {
      stream: true,
    });
    return !CONTROL.test(text) && !MARKUP.test(text);
  } catch {
    return false;
  }
}
