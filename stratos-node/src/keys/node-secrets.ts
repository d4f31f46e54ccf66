import { hkdfSync, randomBytes } from 'node:crypto';
import { SigningKey } from '@stratos/protocol';

/** Order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export interface NodeSecretsOptions {
  /** Whether proofs that were used before a restart are forgotten with their nonces. */
  isReplayMemoryOurs: boolean;
}

/**
 * What every process of the node needs to know alike, derived from the node's key, so that it ends
 * with it.
 */
export class NodeSecrets {
  readonly #nodeKey: () => SigningKey;
  readonly #noncePurpose: string;
  #derived: { from: SigningKey; session: SigningKey; nonce: Uint8Array } | undefined;

  constructor(nodeKey: () => SigningKey, { isReplayMemoryOurs }: NodeSecretsOptions) {
    this.#nodeKey = nodeKey;
    // @NOTE a memory of used proofs that does not outlive the process must not meet their nonces again
    const only = isReplayMemoryOurs ? ` ${randomBytes(16).toString('hex')}` : '';
    this.#noncePurpose = `stratos node DPoP nonce${only}`;
  }

  /** The P-256 key that signs sessions. */
  get session(): SigningKey {
    return this.#now.session;
  }

  /** The secret that DPoP nonces are made with. */
  get nonce(): Uint8Array {
    return this.#now.nonce;
  }

  get #now() {
    const from = this.#nodeKey();
    if (this.#derived?.from !== from) {
      const scalar = BigInt(`0x${derive(from, 'stratos node session', 48).toString('hex')}`);
      const raw = ((scalar % (ORDER - 1n)) + 1n).toString(16).padStart(64, '0');
      this.#derived = {
        from,
        session: SigningKey.import('P-256', Buffer.from(raw, 'hex')),
        nonce: derive(from, this.#noncePurpose, 32),
      };
    }
    return this.#derived;
  }
}

function derive(key: SigningKey, purpose: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key.export(), new Uint8Array(), purpose, length));
}
