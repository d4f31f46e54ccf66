import { zone } from '@stratos/protocol/lexicons';
import type { Answer } from './answer.ts';
import type { Method, Params, RemoteNode } from './node.ts';

const { admin } = zone.stratos;

/** Whoever runs the node. */
export class Operator {
  readonly #node: RemoteNode;
  readonly #password: string;

  constructor(node: RemoteNode, password: string) {
    this.#node = node;
    this.#password = password;
  }

  get basic(): string {
    return `Basic ${Buffer.from(`admin:${this.#password}`).toString('base64')}`;
  }

  get bearer(): string {
    return `Bearer ${this.#password}`;
  }

  query(method: Method, params: Params = {}): Promise<Answer> {
    return this.#node.call(method, { params, authorization: this.basic });
  }

  procedure(method: Method, body: unknown): Promise<Answer> {
    return this.#node.call(method, { body, authorization: this.basic });
  }

  async setBoundaries(did: string, boundaries: readonly string[]): Promise<void> {
    (await this.procedure(admin.setBoundaries, { did, boundaries })).ok();
  }
}
