import {
  type Did,
  type DidDocument,
  type IdentityResolver,
  nodeDidDocument,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { FakePds } from './fake-pds.ts';
import { NODE_DID, TestNode, type TestNodeOptions, type TestPerson } from './test-node.ts';

/** People with a PDS, and nodes between which they can move. */
export class MovingWorld implements AsyncDisposable {
  readonly pds: FakePds;
  readonly #documents = new Map<Did, DidDocument>();
  readonly #owned = new AsyncDisposableStack();

  private constructor(pds: FakePds) {
    this.pds = this.#owned.use(pds);
  }

  static async of(people: readonly TestPerson[]): Promise<MovingWorld> {
    const world = new MovingWorld(await FakePds.start());
    for (const person of people) {
      const service = [
        { id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: world.pds.url },
      ];
      world.#documents.set(person.did, { ...person.didDocument, service });
    }
    return world;
  }

  async node(did: Did = NODE_DID, options: TestNodeOptions = {}): Promise<TestNode> {
    const publicUrl = `http://localhost:${did.split('%3A')[1]}`;
    const identity: IdentityResolver = {
      didDocument: async (asked) => this.#documents.get(asked),
      verifiedHandle: async () => undefined,
      fetch: globalThis.fetch,
    };
    const node = this.#owned.use(
      await TestNode.start({
        identity,
        findPdsSession: this.pds.sessions,
        ...options,
        env: {
          STRATOS_SERVICE_DID: did,
          STRATOS_PUBLIC_URL: publicUrl,
          STRATOS_WRITE_RATE_MAX_WRITES: '1000000',
          ...options.env,
        },
      }),
    );
    const signingKey = node.ctx.nodeKey.did();
    this.#documents.set(did, nodeDidDocument({ did, publicUrl, signingKey }));
    this.#documents.set(node.appView.did, node.appView.didDocument);
    return node;
  }

  async exported(node: TestNode, person: TestPerson): Promise<Uint8Array> {
    const { $nsid } = zone.stratos.sync.getRepo;
    const authorization = await person.authorization($nsid, node.ctx.config.serviceDid);
    const response = await node.get($nsid, { did: person.did }, authorization);
    if (!response.ok) throw new Error(`getRepo: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  async imported(
    node: TestNode,
    person: TestPerson,
    car: Uint8Array<ArrayBuffer> | ReadableStream,
    params: { source?: string; boundaries?: readonly string[]; encoding?: string } = {},
  ): Promise<Response> {
    const { $nsid } = zone.stratos.repo.importRepo;
    const query = new URLSearchParams();
    if (params.source !== undefined) query.set('source', params.source);
    for (const pair of params.boundaries ?? []) query.append('boundaries', pair);
    return fetch(`${node.url}/xrpc/${$nsid}?${query}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/vnd.ipld.car',
        authorization: await person.authorization($nsid, node.ctx.config.serviceDid),
        ...(params.encoding !== undefined && { 'content-encoding': params.encoding }),
      },
      body: car,
      duplex: 'half',
    } as RequestInit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
