import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { formatDidKey, type Keypair, parseDidKey } from '@atproto/crypto';
import { LRUCache } from 'lru-cache';
import { signCompact, verifyCompact, verifyCompactAside } from './compact-signature.ts';
import { type DidKey, toDidKey } from './identifiers.ts';

export type Curve = 'P-256' | 'secp256k1';

const CURVES = {
  'P-256': {
    jwtAlg: 'ES256',
    opensslName: 'prime256v1',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  secp256k1: {
    jwtAlg: 'ES256K',
    opensslName: 'secp256k1',
    order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  },
} as const;

/**
 * A private key of a node (secp256k1), a person's repo (P-256) or an AppView, on `node:crypto`,
 * which is ten times as fast as the pure JavaScript of `@atproto/crypto`.
 */
export class SigningKey implements Keypair {
  readonly curve: Curve;
  readonly jwtAlg: 'ES256' | 'ES256K';
  readonly keyObject: KeyObject;
  readonly #did: DidKey;
  readonly #raw: Uint8Array;

  private constructor(curve: Curve, raw: Uint8Array) {
    const { jwtAlg, opensslName } = CURVES[curve];
    const ecdh = createECDH(opensslName);
    ecdh.setPrivateKey(raw);
    const point = ecdh.getPublicKey();
    this.curve = curve;
    this.jwtAlg = jwtAlg;
    this.#raw = raw;
    this.#did = toDidKey(formatDidKey(jwtAlg, point));
    const jwk = { ...publicJwk(curve, point), d: Buffer.from(raw).toString('base64url') };
    this.keyObject = createPrivateKey({ format: 'jwk', key: jwk });
  }

  static generate(curve: Curve): SigningKey {
    const ecdh = createECDH(CURVES[curve].opensslName);
    ecdh.generateKeys();
    return SigningKey.import(curve, ecdh.getPrivateKey());
  }

  /** @param raw - the 32 bytes of the private key */
  static import(curve: Curve, raw: Uint8Array): SigningKey {
    const padded = new Uint8Array(32);
    padded.set(raw, 32 - raw.length);
    return new SigningKey(curve, padded);
  }

  did(): DidKey {
    return this.#did;
  }

  /** The 32 bytes of the private key. */
  export(): Uint8Array {
    return this.#raw.slice();
  }

  /** ECDSA over SHA-256, 64 bytes, low-S. */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    return lowS(this.curve, signCompact(this.keyObject, message));
  }
}

/** True if `signature` is a low-S ECDSA signature over the SHA-256 of `message` by `key`. */
export function verifySignature(key: DidKey, message: Uint8Array, signature: Uint8Array): boolean {
  const keyObject = keyForVerifying(key, signature);
  return keyObject !== undefined && verifyCompact(keyObject, message, signature);
}

/** The same, while the main thread does something else. */
export async function verifySignatureAside(
  key: DidKey,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const keyObject = keyForVerifying(key, signature);
  return keyObject !== undefined && verifyCompactAside(keyObject, message, signature);
}

/** The public key, unless no signature of this form can be a valid one of it. */
function keyForVerifying(key: DidKey, signature: Uint8Array): KeyObject | undefined {
  if (signature.length !== 64) return undefined;
  const publicKey = publicKeyOf(key);
  if (!publicKey || isHighS(publicKey.curve, signature)) return undefined;
  return publicKey.keyObject;
}

/** The JWT algorithm that signatures of this key have, or undefined for a key of another kind. */
export function jwtAlgOf(key: DidKey): 'ES256' | 'ES256K' | undefined {
  const publicKey = publicKeyOf(key);
  return publicKey && CURVES[publicKey.curve].jwtAlg;
}

/** Reads the hex of a 32-byte private key from a file, made with mode 600 if there is none. */
export async function loadOrCreateSigningKey(path: string, curve: Curve): Promise<SigningKey> {
  const created = Buffer.from(SigningKey.generate(curve).export()).toString('hex');
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(`${created}\n`);
    await file.sync();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const hex = await readWhole(path);
  return SigningKey.import(curve, Buffer.from(hex, 'hex'));
}

async function readWhole(path: string): Promise<string> {
  const deadline = Date.now() + 2_000;
  for (;;) {
    const hex = (await readFile(path, 'utf8')).trim();
    if (/^[0-9a-f]{64}$/i.test(hex)) return hex;
    // @NOTE another process may have created the file a moment ago and not yet written it
    if (hex !== '' || Date.now() > deadline)
      throw new Error(`${path} does not hold the hex of a 32-byte key`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface PublicKey {
  curve: Curve;
  keyObject: KeyObject;
}

const publicKeys = new LRUCache<DidKey, PublicKey>({ max: 10_000 });

function publicKeyOf(key: DidKey): PublicKey | undefined {
  const known = publicKeys.get(key);
  if (known) return known;
  try {
    const { jwtAlg, keyBytes } = parseDidKey(key);
    const curve = jwtAlg === 'ES256' ? 'P-256' : jwtAlg === 'ES256K' ? 'secp256k1' : undefined;
    if (!curve) return undefined;
    const jwk = publicJwk(curve, keyBytes);
    const publicKey: PublicKey = { curve, keyObject: createPublicKey({ format: 'jwk', key: jwk }) };
    publicKeys.set(key, publicKey);
    return publicKey;
  } catch {
    return undefined;
  }
}

/** @param point - uncompressed: 0x04, x, y */
function publicJwk(curve: Curve, point: Uint8Array) {
  return {
    kty: 'EC',
    crv: curve,
    x: Buffer.from(point.subarray(1, 33)).toString('base64url'),
    y: Buffer.from(point.subarray(33, 65)).toString('base64url'),
  };
}

function sOf(signature: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
}

function isHighS(curve: Curve, signature: Uint8Array): boolean {
  return sOf(signature) > CURVES[curve].order / 2n;
}

function lowS(curve: Curve, compact: Uint8Array): Uint8Array {
  if (!isHighS(curve, compact)) return compact;
  const s = (CURVES[curve].order - sOf(compact)).toString(16).padStart(64, '0');
  compact.set(Buffer.from(s, 'hex'), 32);
  return compact;
}

/** A random identifier for a token or proof: 128 bits, base64url. */
export function randomId(): string {
  return randomBytes(16).toString('base64url');
}
