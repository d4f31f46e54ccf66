import { type Did, SigningKey } from '@stratos/protocol';
import type { ActorReader } from '../storage/actor-storage.ts';

/** Keys of people that stay in memory. */
const KEPT = 10_000;

/** The keys that people's commits are signed with, each made and read once. */
export class ActorKeys {
  /** In order of last use, oldest first. */
  readonly #keys = new Map<Did, SigningKey>();

  /** A new key, as an actor's store keeps it. */
  generate(): Uint8Array {
    return SigningKey.generate('P-256').export();
  }

  /** The key of an actor's repo. */
  async of(actor: Pick<ActorReader, 'did' | 'signingKey'>): Promise<SigningKey> {
    const { did } = actor;
    const key = this.#keys.get(did) ?? SigningKey.import('P-256', await actor.signingKey());
    this.#keys.delete(did);
    this.#keys.set(did, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > KEPT && oldest !== undefined) this.#keys.delete(oldest);
    return key;
  }
}
