import { randomBytes } from 'node:crypto';

/** A secret that must not come out, and what it is. */
export interface Canary {
  readonly what: string;
  readonly secret: string;
}

/** Secrets by which it is told whether anything came out, in whatever form. */
export class Canaries {
  readonly #all: { canary: Canary; forms: readonly string[] }[] = [];

  /** Makes a text that is nowhere else. */
  make(what: string): Canary {
    return this.watch(what, `canary${randomBytes(12).toString('hex')}`);
  }

  /** Looks out for a secret that somebody else has made. */
  watch(what: string, secret: string): Canary {
    if (secret.length < 8) throw new Error(`too short to be told from anything else: ${what}`);
    const canary = { what, secret };
    this.#all.push({ canary, forms: formsOf(secret) });
    return canary;
  }

  get size(): number {
    return this.#all.length;
  }

  /** Those that a text has in it. */
  in(text: string): Canary[] {
    return this.#all
      .filter(({ forms }) => forms.some((form) => text.includes(form)))
      .map(({ canary }) => canary);
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((before) => withinBase64(bytes, before));
  const base64url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  return [
    ...new Set([
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      hex,
      hex.toUpperCase(),
      [...bytes].join(),
      ...base64,
      ...base64url,
    ]),
  ];
}

/** What the base64 of a longer text has of these bytes, whatever is beside them. */
function withinBase64(bytes: Uint8Array, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
