/** Bytes that WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

export function isSameBytes(left: Bytes, right: Bytes): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

export function joinBytes(...parts: Bytes[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** Undefined unless it is the one base64 of some bytes, with or without its padding. */
export function fromBase64(text: string): Bytes | undefined {
  const bare = text.replace(/={1,2}$/, '');
  try {
    const bytes = Uint8Array.from(atob(bare), (letter) => letter.charCodeAt(0));
    return toBase64(bytes) === bare ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Without padding, as the JSON of AT Protocol has it. */
export function toBase64(bytes: Bytes): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/=+$/, '');
}

/** The number that they are, the highest first. */
export function numberOf(bytes: Bytes): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** So many bytes of a number, the highest first. */
export function bytesOf(number: bigint, length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) =>
    Number((number >> BigInt(8 * (length - 1 - i))) & 255n),
  );
}
