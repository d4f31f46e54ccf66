import {
  type Did,
  type DidKey,
  type IdentityResolver,
  keysOfEntry,
  type NodeKeyPeriod,
} from '@stratos/protocol';
import { keyHistoryOf } from '../nodes/key-history.ts';
import { resolveNode } from '../nodes/node-identity.ts';

/** The keys by which a node may have signed an entry of its log. */
export type KeysOfEntry = (seq: number) => readonly DidKey[];

/** Asks nodes for their keys, each once. */
export class NodeKeys {
  readonly #identity: IdentityResolver;
  readonly #known = new Map<Did, Promise<KeysOfEntry | undefined>>();

  constructor(identity: IdentityResolver) {
    this.#identity = identity;
  }

  /** Undefined when they cannot be had, or their history does not hold. */
  of(nodeDid: Did): Promise<KeysOfEntry | undefined> {
    const known = this.#known.get(nodeDid);
    if (known) return known;
    const asked = this.#ask(nodeDid).catch(() => undefined);
    this.#known.set(nodeDid, asked);
    return asked;
  }

  async #ask(nodeDid: Did): Promise<KeysOfEntry> {
    const node = await resolveNode(this.#identity, nodeDid);
    const history: readonly NodeKeyPeriod[] | undefined = await keyHistoryOf(this.#identity, node);
    return history ? (seq) => keysOfEntry(history, seq) : () => node.keys;
  }
}
