import { com, zone } from '@stratos/protocol/lexicons';
import type { Answer } from './answer.ts';
import { Caller } from './caller.ts';
import type { Method, Params, RemoteNode } from './node.ts';
import type { PdsSession } from './pds.ts';

const { createRecord, putRecord, applyWrites, deleteRecord, getRecord } = com.atproto.repo;
const post = zone.stratos.feed.post.$nsid;

export interface Written {
  uri: string;
  cid: string;
  rkey: string;
  commit: { cid: string; rev: string };
}

/** A person with an account on a PDS, who forgets nothing that they wrote to the node. */
export class Person extends Caller {
  readonly handle: string;
  readonly pds: PdsSession;
  /** What they are a member of at the node; set by the world. */
  boundaries: readonly string[] = [];
  readonly #written = new Set<string>();

  constructor(node: RemoteNode, handle: string, pds: PdsSession) {
    super(node, pds.did);
    this.handle = handle;
    this.pds = pds;
  }

  token(lxm: string): Promise<string> {
    return this.pds.serviceAuth({ audience: this.node.did, lxm });
  }

  /** What the node tells them of themselves. */
  async status(): Promise<zone.stratos.enrollment.status.$OutputBody> {
    const answer = await this.query(zone.stratos.enrollment.status, { did: this.did });
    return answer.ok();
  }

  override async procedure(method: Method, body: unknown, params: Params = {}): Promise<Answer> {
    const answer = await super.procedure(method, body, params);
    if (answer.status === 200 && method === deleteRecord) this.#forget(body);
    else if (answer.status === 200) this.#remember(answer);
    return answer;
  }

  /** Asks for a record to be made. */
  create(record: unknown, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.procedure(createRecord, { repo: this.did, collection: post, record, ...more });
  }

  put(rkey: string, record: unknown, more: Record<string, unknown> = {}): Promise<Answer> {
    const body = { repo: this.did, collection: post, rkey, record, ...more };
    return this.procedure(putRecord, body);
  }

  delete(rkey: string, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.procedure(deleteRecord, { repo: this.did, collection: post, rkey, ...more });
  }

  apply(writes: readonly unknown[], more: Record<string, unknown> = {}): Promise<Answer> {
    return this.procedure(applyWrites, { repo: this.did, writes, ...more });
  }

  /** Writes a post to these boundaries, and requires that it works. */
  async post(
    boundaries: readonly string[],
    text = 'A post of the conformance suite',
  ): Promise<Written> {
    return written(await this.create(postRecord(text, boundaries)));
  }

  /** Asks for a record by its address. */
  read(uri: string): Promise<Answer> {
    return this.query(getRecord, addressOf(uri));
  }

  /** Deletes what they wrote and did not delete again. */
  async cleanUp(): Promise<void> {
    const left = [...this.#written];
    this.#written.clear();
    for (let i = 0; i < left.length; i += 100) {
      const writes = left.slice(i, i + 100).map((uri) => {
        const { collection, rkey } = addressOf(uri);
        return { $type: applyWrites.delete.$type, collection, rkey };
      });
      (await this.apply(writes)).ok();
    }
  }

  #forget(body: unknown): void {
    const { collection, rkey } = body as Record<string, string>;
    this.#written.delete(`at://${this.did}/${collection}/${rkey}`);
  }

  #remember({ json }: Answer): void {
    const results = Array.isArray(json['results']) ? json['results'] : [json];
    for (const { uri } of results) if (typeof uri === 'string') this.#written.add(uri);
  }
}

/** The answer of a write of one record that must have worked. */
export function written(answer: Answer): Written {
  const { uri, cid, commit } = answer.ok<Omit<Written, 'rkey'>>();
  return { uri, cid, commit, rkey: addressOf(uri).rkey };
}

/** A post as a client would write it. */
export function postRecord(text: string, boundaries: readonly string[]): Record<string, unknown> {
  return {
    $type: post,
    text,
    boundary: {
      $type: zone.stratos.boundary.defs.Domains.$type,
      values: boundaries.map((value) => ({ value })),
    },
    createdAt: new Date().toISOString(),
  };
}

export function addressOf(uri: string): { repo: string; collection: string; rkey: string } {
  const [repo = '', collection = '', rkey = ''] = uri.slice('at://'.length).split('/');
  return { repo, collection, rkey };
}
