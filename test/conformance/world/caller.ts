import type { Did, SigningKey } from '@stratos/protocol';
import type { Answer } from './answer.ts';
import { type CallOptions, type Method, type Params, patiently, type RemoteNode } from './node.ts';
import { forge, goodClaims } from './token.ts';

/** Somebody who can prove to the node who they are. */
export abstract class Caller {
  readonly node: RemoteNode;
  readonly did: Did;

  constructor(node: RemoteNode, did: Did) {
    this.node = node;
    this.did = did;
  }

  /** A token for one call of a method of the node. */
  abstract token(lxm: string): Promise<string>;

  async authorization(lxm: string): Promise<string> {
    return `Bearer ${await this.token(lxm)}`;
  }

  async query(method: Method, params: Params = {}): Promise<Answer> {
    return this.#call(method, { params });
  }

  async procedure(method: Method, body: unknown, params: Params = {}): Promise<Answer> {
    return this.#call(method, { params, body, method: 'POST' });
  }

  /** Each try has a token of its own. */
  #call(method: Method, options: CallOptions): Promise<Answer> {
    return patiently(async () => {
      const authorization = await this.authorization(method.$nsid);
      return this.node.call(method, { ...options, authorization, patient: false });
    });
  }
}

/** An AppView, whose key is in our hands. */
export class AppView extends Caller {
  readonly key: SigningKey;

  constructor(node: RemoteNode, did: Did, key: SigningKey) {
    super(node, did);
    this.key = key;
  }

  token(lxm: string): Promise<string> {
    return this.forged(lxm);
  }

  /** A token with other claims or another header than it should have. */
  forged(
    lxm: string,
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): Promise<string> {
    const good = goodClaims(this.did, this.node.did, lxm);
    return forge({ header, claims: { ...good, ...claims }, key: this.key });
  }
}
