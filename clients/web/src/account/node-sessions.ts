import {
  type DidResolver,
  findNode,
  InvalidInputError,
  isDid,
  openNodeSession,
  type Pds,
  type Session,
} from '@stratos/client';

/** The person's sessions at their nodes, each opened when it is first needed. */
export class NodeSessions {
  readonly #pds: Pds;
  readonly #dids: DidResolver;
  readonly #opened = new Map<string, Promise<Session>>();

  constructor(pds: Pds, dids: DidResolver) {
    this.#pds = pds;
    this.#dids = dids;
  }

  /** Throws a `StratosError`. */
  at(node: string): Promise<Session> {
    const opened = this.#opened.get(node) ?? this.#open(node);
    this.#opened.set(node, opened);
    opened.catch(() => this.#opened.delete(node));
    return opened;
  }

  async #open(node: string): Promise<Session> {
    if (!isDid(node)) throw new InvalidInputError('InvalidDid', `${node} is no DID`);
    const service = await findNode(node, { dids: this.#dids });
    return openNodeSession({ pds: this.#pds, node: service });
  }
}
