import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Four bytes by which a sealed secret is known; the last is the version. */
const MAGIC = Buffer.from([0x53, 0x53, 0x4b, 1]);
const IV_LENGTH = 12;
const TAG_LENGTH = 16;
/** No plain key is longer. */
const PLAIN_KEY_LENGTH = 32;

/** A sealed secret that cannot be opened: by another key, for another purpose, or altered. */
export class SealedError extends Error {
  override name = 'SealedError';
}

/** Keeps secrets unreadable where they lie. */
export interface Vault {
  /** Whether what it seals is encrypted. */
  readonly isEncrypting: boolean;
  /** @param purpose - what the secret is and whose; it opens for exactly that again */
  seal(secret: Uint8Array, purpose: string): Uint8Array;
  /** The secret; one that was never sealed as it is. Throws {@link SealedError}. */
  open(stored: Uint8Array, purpose: string): Uint8Array;
}

/** AES-256-GCM, with the purpose as associated data. */
export class KeyVault implements Vault {
  readonly isEncrypting = true;
  readonly #key: Uint8Array;

  /** @param key - 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(secret: Uint8Array, purpose: string): Uint8Array {
    const iv = randomBytes(IV_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(purpose));
    const encrypted = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([MAGIC, iv, encrypted, cipher.getAuthTag()]);
  }

  open(stored: Uint8Array, purpose: string): Uint8Array {
    if (!isSealed(stored)) return stored;
    const sealed = Buffer.from(stored).subarray(MAGIC.length);
    const tagAt = sealed.length - TAG_LENGTH;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, IV_LENGTH))
      .setAAD(Buffer.from(purpose))
      .setAuthTag(sealed.subarray(tagAt));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(IV_LENGTH, tagAt)), decipher.final()]);
    } catch (cause) {
      throw new SealedError('a secret cannot be opened by the encryption key', { cause });
    }
  }
}

/** For a node without an encryption key. */
export const plainVault: Vault = {
  isEncrypting: false,
  seal: (secret) => secret,
  open(stored) {
    if (isSealed(stored))
      throw new SealedError('a secret is encrypted, and there is no key for it');
    return stored;
  },
};

/** True for what {@link KeyVault} made; a plain key is too short for it. */
export function isSealed(stored: Uint8Array): boolean {
  return stored.length > PLAIN_KEY_LENGTH && MAGIC.equals(stored.subarray(0, MAGIC.length));
}
