import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Boundary,
  type Did,
  type DidDocument,
  type IdentityResolver,
  mintServiceAuth,
  qualifyBoundary,
  SigningKey,
  toDid,
} from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import type { Tracing } from '@stratos/protocol/telemetry';
import { type NodeConfig, readConfig } from '../config.ts';
import { enroll } from '../enrollment/enroll.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { EndPdsSession } from '../outbox/end-session.ts';
import type { FindPdsSession } from '../outbox/oauth-sessions.ts';
import { PdsError } from '../outbox/pds-repo.ts';
import { type NodeService, startNode } from '../service.ts';
import type { StreamLimits } from '../stream/stream-limits.ts';

export const NODE_DID = toDid('did:web:localhost%3A3100');
export const SWORDSMITH = qualifyBoundary(NODE_DID, 'swordsmith');
export const AEKEA = qualifyBoundary(NODE_DID, 'aekea');
export const APPVIEW_DID = toDid('did:web:localhost%3A4000');
export const ADMIN_PASSWORD = 'correct horse battery';
const OPERATOR = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`;

/** Somebody with a DID and the key by which their PDS would sign for them. */
export class TestPerson {
  readonly did: Did;
  readonly key: SigningKey;

  constructor(did: Did, key: SigningKey) {
    this.did = did;
    this.key = key;
  }

  static named(name: string): TestPerson {
    const label = name
      .replaceAll(/[^a-z2-7]/g, '')
      .padEnd(24, 'a')
      .slice(0, 24);
    return new TestPerson(toDid(`did:plc:${label}`), SigningKey.generate('secp256k1'));
  }

  get didDocument(): DidDocument {
    return {
      id: this.did,
      verificationMethod: [
        {
          id: `${this.did}#atproto`,
          type: 'Multikey',
          controller: this.did,
          publicKeyMultibase: this.key.did().slice('did:key:'.length),
        },
      ],
    };
  }

  async authorization(lxm: string, audience: string = NODE_DID): Promise<string> {
    const jwt = await mintServiceAuth({
      issuer: this.did,
      audience: audience as Did,
      lxm,
      key: this.key,
    });
    return `Bearer ${jwt}`;
  }
}

/** Resolves the people that it was told of, and nobody else. */
export function staticIdentity(people: readonly TestPerson[]): IdentityResolver {
  const documents = new Map(people.map((person) => [person.did, person.didDocument]));
  return {
    didDocument: async (did) => documents.get(did),
    verifiedHandle: async () => undefined,
    fetch: async () => Promise.reject(new Error('this test fetches nothing')),
  };
}

const unreachablePds: FindPdsSession = async () => {
  throw new PdsError('no PDS in this test', { isTransient: false });
};

export interface TestNodeOptions {
  people?: readonly TestPerson[];
  dataDir?: string;
  env?: Record<string, string>;
  findPdsSession?: FindPdsSession;
  endPdsSession?: EndPdsSession;
  logger?: Logger;
  tracing?: Tracing;
  streamLimits?: Partial<StreamLimits>;
  /** Instead of one that knows the people alone. */
  identity?: IdentityResolver;
}

export function testConfig(dataDir: string, env: Record<string, string> = {}): NodeConfig {
  return readConfig({
    STRATOS_SERVICE_DID: NODE_DID,
    STRATOS_PUBLIC_URL: 'http://localhost:3100',
    STRATOS_PORT: '0',
    STRATOS_DATA_DIR: dataDir,
    STRATOS_ALLOWED_DOMAINS: 'swordsmith,aekea',
    STRATOS_ALLOWED_APPVIEWS: APPVIEW_DID,
    STRATOS_ADMIN_PASSWORD: ADMIN_PASSWORD,
    STRATOS_HEARTBEAT_INTERVAL_MS: '200',
    STRATOS_DEV_MODE: 'true',
    ...env,
  });
}

/** Whether nodes of tests keep what they have in Postgres, of which there are no files to look into. */
export const isOnPostgres = process.env['STRATOS_TEST_STORAGE'] === 'postgres';

/** With STRATOS_TEST_STORAGE=postgres every node has a database that goes with its data folder. */
async function testStorage(
  dataDir: string,
  isTemporary: boolean,
  leftovers: AsyncDisposableStack,
): Promise<Record<string, string>> {
  if (!isOnPostgres) return {};
  const { databaseOfFolder } = await import('./test-database.ts');
  const database = await databaseOfFolder(dataDir);
  if (isTemporary) leftovers.use(database);
  return { STORAGE_BACKEND: 'postgres', STRATOS_POSTGRES_URL: database.url };
}

/** A node on a free port with people that it can identify, in a folder of its own. */
export class TestNode implements AsyncDisposable {
  readonly appView: TestPerson;
  readonly #node: NodeService;
  readonly #leftovers: AsyncDisposableStack;

  private constructor(node: NodeService, appView: TestPerson, leftovers: AsyncDisposableStack) {
    this.#node = node;
    this.appView = appView;
    this.#leftovers = leftovers;
  }

  static async start(options: TestNodeOptions = {}): Promise<TestNode> {
    const appView = new TestPerson(APPVIEW_DID, SigningKey.generate('secp256k1'));
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'stratos-')));
    const isTemporary = options.dataDir === undefined;
    await using leftovers = new AsyncDisposableStack();
    if (isTemporary) leftovers.defer(() => rm(dataDir, { recursive: true }));
    const storage = await testStorage(dataDir, isTemporary, leftovers);
    const node = await startNode(testConfig(dataDir, { ...storage, ...options.env }), {
      identity: options.identity ?? staticIdentity([appView, ...(options.people ?? [])]),
      logger: options.logger ?? silentLogger,
      ...(options.tracing && { tracing: options.tracing }),
      findPdsSession: options.findPdsSession ?? unreachablePds,
      ...(options.endPdsSession && { endPdsSession: options.endPdsSession }),
      ...(options.streamLimits && { streamLimits: options.streamLimits }),
    });
    return new TestNode(node, appView, leftovers.move());
  }

  get ctx() {
    return this.#node.ctx;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#node.port}`;
  }

  get dataDir(): string {
    return this.ctx.config.dataDir;
  }

  async enroll(person: TestPerson, boundaries: readonly Boundary[]): Promise<void> {
    await enroll(this.ctx, person.did, { boundaries });
  }

  async get(
    nsid: string,
    params: Record<string, string>,
    authorization?: string,
  ): Promise<Response> {
    return fetch(`${this.url}/xrpc/${nsid}?${new URLSearchParams(params)}`, {
      headers: authorization === undefined ? {} : { authorization },
    });
  }

  async post(nsid: string, body: unknown, authorization?: string): Promise<Response> {
    return fetch(`${this.url}/xrpc/${nsid}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization !== undefined && { authorization }),
      },
      body: JSON.stringify(body),
    });
  }

  /** Calls a query as somebody. */
  async query(person: TestPerson, nsid: string, params: Record<string, string>): Promise<Response> {
    return this.get(nsid, params, await person.authorization(nsid));
  }

  /** Calls a procedure as somebody. */
  async procedure(person: TestPerson, nsid: string, body: unknown): Promise<Response> {
    return this.post(nsid, body, await person.authorization(nsid));
  }

  async operator(nsid: string, body: unknown): Promise<Response> {
    return this.post(nsid, body, OPERATOR);
  }

  async operatorQuery(nsid: string, params: Record<string, string>): Promise<Response> {
    return this.get(nsid, params, OPERATOR);
  }

  /** Asks for a record to be created. */
  async tryPost(
    person: TestPerson,
    record: Record<string, unknown>,
    more: Record<string, unknown> = {},
  ) {
    const collection = zone.stratos.feed.post.$nsid;
    const body = { repo: person.did, collection, record, ...more };
    return this.procedure(person, com.atproto.repo.createRecord.$nsid, body);
  }

  /** Creates a post and requires that it works. */
  async createPost(
    person: TestPerson,
    record: Record<string, unknown>,
    more: Record<string, unknown> = {},
  ): Promise<com.atproto.repo.createRecord.$OutputBody> {
    const response = await this.tryPost(person, record, more);
    if (!response.ok) throw new Error(`createRecord: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async applyWrites(
    person: TestPerson,
    writes: readonly Record<string, unknown>[],
    more: Record<string, unknown> = {},
  ): Promise<Response> {
    const body = { repo: person.did, writes, ...more };
    return this.procedure(person, com.atproto.repo.applyWrites.$nsid, body);
  }

  async deletePost(person: TestPerson, uri: string): Promise<Response> {
    const [, , , collection, rkey] = uri.split('/');
    const body = { repo: person.did, collection, rkey };
    return this.procedure(person, com.atproto.repo.deleteRecord.$nsid, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
    await this.#leftovers.disposeAsync();
  }
}

/** The record of a post. */
export function postRecord(text: string, boundaries: readonly string[] = [SWORDSMITH]) {
  return {
    $type: zone.stratos.feed.post.$nsid,
    text,
    boundary: {
      $type: zone.stratos.boundary.defs.Domains.$type,
      values: boundaries.map((value) => ({ value })),
    },
    createdAt: new Date().toISOString(),
  };
}
