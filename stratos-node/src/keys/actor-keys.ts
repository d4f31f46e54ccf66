import { type Did, SigningKey } from '@stratos/protocol';
import { LRUCache } from 'lru-cache';
import type { ActorReader } from '../storage/actor-storage.ts';
import { plainVault, type Vault } from './vault.ts';

/** Keys of people that stay in memory. */
const KEPT = 10_000;

/** The keys that people's commits are signed with, each made and read once. */
export class ActorKeys {
  readonly #vault: Vault;
  readonly #isShared: boolean;
  /** By actor, or where others may change the key, by how it is stored. */
  readonly #keys = new LRUCache<string, SigningKey>({ max: KEPT });

  /** @param isShared - whether other processes may erase an actor and make them anew */
  constructor(vault: Vault = plainVault, isShared = false) {
    this.#vault = vault;
    this.#isShared = isShared;
  }

  /** A new key, as the store of the actor `did` keeps it. */
  generate(did: Did): Uint8Array {
    return this.#vault.seal(SigningKey.generate('P-256').export(), purposeOf(did));
  }

  /** The key of an actor's repo. Throws SealedError if it is encrypted under another secret. */
  async of(actor: Pick<ActorReader, 'did' | 'signingKey'>): Promise<SigningKey> {
    const { did } = actor;
    const found = this.#isShared ? await actor.signingKey() : undefined;
    const place = found ? `${did} ${Buffer.from(found).toString('base64')}` : did;
    const known = this.#keys.get(place);
    if (known) return known;
    const stored = found ?? (await actor.signingKey());
    const key = SigningKey.import('P-256', this.#vault.open(stored, purposeOf(did)));
    this.#keys.set(place, key);
    return key;
  }

  /** Drops a key from memory. */
  forget(did: Did): void {
    this.#keys.delete(did);
  }

  /** How a key that is stored as `stored` is stored under the encryption of now. */
  resealed(did: Did, stored: Uint8Array): Uint8Array {
    const purpose = purposeOf(did);
    return this.#vault.seal(this.#vault.open(stored, purpose), purpose);
  }
}

function purposeOf(did: Did): string {
  return `key of ${did}`;
}
