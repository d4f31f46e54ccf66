import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import {
  type AtprotoOAuthScope,
  NodeOAuthClient,
  type OAuthSession,
} from '@atproto/oauth-client-node';
import * as library from '@stratos/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Browser,
  type LocalNetwork,
  signInAndConsent,
  startLocalNetwork,
} from '../network/src/index.ts';
import { type Example, examplesIn, runExample } from './examples.ts';

const SOURCES = join(import.meta.dirname, '../../clients/stratos/src');
const PNG = Uint8Array.from(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);
/** A scope that no server here can resolve, and what is asked for instead. */
const SCOPES = [
  `atproto ${library.permissionSetScope('invalid.example.authFull')}`,
  library.SESSION_SCOPE,
];

let network: LocalNetwork;
let app: App;
let oauthSession: OAuthSession;
let dids: library.DidResolver;
let handles: library.HandleResolver;
let gateway: library.Service;
let boundary: string;

beforeAll(async () => {
  network = await startLocalNetwork({ ephemeral: true, ports: 'free', bare: true });
  for (const handle of ['rei.test', 'sakura.test', 'mika.test']) {
    await network.createAccount(handle);
  }
  await network.enroll('rei.test', 'swordsmith', ['swordsmith', 'aekea']);
  await network.enroll('sakura.test', 'swordsmith', ['swordsmith']);
  const { plcUrl, pdsUrl, gateway: party } = network.topology;
  dids = library.createDidResolver({ plcUrl });
  handles = library.createHandleResolver({ service: pdsUrl });
  gateway = { did: party.did, url: party.url };
  boundary = network.boundary('swordsmith');
  app = await App.start(network);
  oauthSession = await app.signIn('rei.test');
}, 240_000);
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

/** An app that people sign in to. */
class App implements AsyncDisposable {
  readonly oauth: NodeOAuthClient;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(oauth: NodeOAuthClient, server: ReturnType<typeof createServer>) {
    this.oauth = oauth;
    this.#server = server;
  }

  static async start({ topology }: LocalNetwork): Promise<App> {
    const server = createServer((_, response) => void response.end('signed in'));
    await once(server.listen(0), 'listening');
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('it listens nowhere');
    const redirect = `http://127.0.0.1:${address.port}/` as const;
    const scope = [...new Set(SCOPES.join(' ').split(' '))].join(' ') as AtprotoOAuthScope;
    const clientId = `http://localhost?${new URLSearchParams({ redirect_uri: redirect, scope })}`;
    const oauth = new NodeOAuthClient({
      clientMetadata: {
        client_id: clientId as `http://localhost?${string}`,
        redirect_uris: [redirect],
        scope,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        dpop_bound_access_tokens: true,
      },
      stateStore: mapStore(),
      sessionStore: mapStore(),
      requestLock: async (_name, work) => work(),
      allowHttp: true,
      plcDirectoryUrl: topology.plcUrl,
      handleResolver: topology.pdsUrl,
    });
    return new App(oauth, server);
  }

  async signIn(handle: string): Promise<OAuthSession> {
    const browser = new Browser();
    const page = await library.withScopeFallback(SCOPES, (scope) =>
      this.oauth.authorize(handle, { scope: scope as AtprotoOAuthScope }),
    );
    const { url: asked } = await browser.navigate(page);
    const credentials = { username: handle, password: 'password' };
    const { url } = await signInAndConsent(browser, asked, credentials);
    const { session } = await this.oauth.callback(url.searchParams);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function mapStore<T>() {
  const map = new Map<string, T>();
  return {
    get: (key: string) => map.get(key),
    set: (key: string, value: T) => void map.set(key, value),
    del: (key: string) => void map.delete(key),
  };
}

/** What the gateway has of a post, for a session. */
async function shown(session: library.Session, uri: string) {
  const query = new URLSearchParams({ uri });
  const response = await session.fetch(`/xrpc/zone.stratos.feed.getPost?${query}`);
  return { status: response.status, post: (await response.json()).post };
}

test('an app that was given two methods finds the node, writes and reads', async () => {
  const { did } = await library.findPerson('rei.test', { dids, handles });
  expect(did).toBe(oauthSession.did);
  const [enrollment] = await library.listEnrollments(did, { dids });
  const node = await library.findNode(library.nodeOfBoundaries([boundary]), { dids });
  expect(enrollment?.node).toEqual(node);
  expect(enrollment?.boundaries).toContain(boundary);

  const session = await library.openNodeSession({ pds: oauthSession, node });
  const image = await library.uploadImage(session, { data: PNG, alt: 'a single pixel' });
  const first = await library.writePost(session, {
    text: '鋼 for @sakura.test and @nobody.test: https://a.example/x. #steel',
    boundaries: [boundary],
    handles,
    images: [image],
  });
  const reads = await library.openGatewaySession({ pds: oauthSession, gateway });
  expect(await library.waitUntilVisible(reads, first.uri, { cid: first.cid })).toBe(true);
  const { did: sakuraDid, pds: sakuraPds } = network.account('sakura.test');
  const sakura = await library.openGatewaySession({ pds: sakuraPds, gateway, isBound: false });
  expect(sakura.did).toBe(sakuraDid);
  const { post } = await shown(sakura, first.uri);
  expect(post.record.facets).toMatchObject([
    { features: [{ did: sakuraDid }] },
    { features: [{ uri: 'https://a.example/x' }] },
    { features: [{ tag: 'steel' }] },
  ]);
  expect(post.record.embed.images[0]).toMatchObject({ alt: 'a single pixel' });

  const stub = await library.findStub(first.uri, { dids });
  expect(stub).toEqual({ ...first, node: node.did, fragment: 'atproto_pns' });

  const edited = await library.editPost(session, first.uri, { text: 'Only this.' });
  expect(await library.waitUntilVisible(reads, first.uri, { cid: edited.cid })).toBe(true);
  const { post: after } = await shown(sakura, first.uri);
  expect(after.record.text).toBe('Only this.');
  expect(after.record.facets ?? []).toEqual([]);
  expect(after.record.embed.images).toHaveLength(1);

  await library.deletePost(session, first.uri);
  await expect.poll(async () => (await shown(sakura, first.uri)).status).toBe(404);
  expect(await library.waitUntilVisible(reads, first.uri, { timeoutMs: 200 })).toBe(false);
});

test('what is for others is never visible, and what is refused says so', async () => {
  const [smith] = [network.topology.nodes.swordsmith];
  const session = await library.openNodeSession({ pds: oauthSession, node: smith });
  const boundaries = [network.boundary('aekea')];
  const { uri } = await library.writePost(session, { text: 'Not for sakura.', boundaries });
  const reads = await library.openGatewaySession({ pds: oauthSession, gateway });
  expect(await library.waitUntilVisible(reads, uri)).toBe(true);
  const { pds } = network.account('sakura.test');
  const sakura = await library.openGatewaySession({ pds, gateway });
  expect(await library.waitUntilVisible(sakura, uri, { timeoutMs: 300 })).toBe(false);
  const writes = await library.openNodeSession({ pds, node: smith });
  await expect(library.writePost(writes, { text: 'Not mine.', boundaries })).rejects.toMatchObject({
    name: 'RefusedError',
    code: 'ForbiddenBoundary',
    status: 403,
  });
  const { pds: mika } = network.account('mika.test');
  const stranger = await library.openNodeSession({ pds: mika, node: smith });
  await expect(library.writePost(stranger, { text: 'Hello.', boundaries })).rejects.toMatchObject({
    code: 'NotEnrolled',
  });
  await expect(library.listEnrollments(stranger.did, { dids })).resolves.toEqual([]);
});

describe('the examples of the library', async () => {
  const examples = await examplesIn(SOURCES);
  let names: object;
  beforeAll(async () => {
    const { plcUrl, pdsUrl, nodes } = network.topology;
    const node: library.Service = nodes.swordsmith;
    const session = await library.openNodeSession({ pds: oauthSession, node });
    const { uri } = await library.writePost(session, { text: 'Here.', boundaries: [boundary] });
    await network.enroll('mika.test', 'swordsmith', ['swordsmith']);
    const { pds: mika } = network.account('mika.test');
    names = {
      ...library,
      ...{ plcUrl, pdsUrl, dids, handles, gateway, boundary, node, session, uri },
      nodeDid: node.did,
      did: session.did,
      pds: oauthSession,
      leaving: await library.openNodeSession({ pds: mika, node }),
      oauth: app.oauth,
      gatewaySession: await library.openGatewaySession({ pds: oauthSession, gateway }),
      png: PNG,
    };
  });

  test.each(examples.map((example) => [example.place, example] as [string, Example]))(
    '%s',
    async (_, example) => {
      await runExample(example, names);
    },
  );

  test('are of every function', () => {
    const isFunction = (name: string) => /^[a-z]/.test(name) && !/^(is|parse)[A-Z]/.test(name);
    const code = examples.map((example) => example.code).join('\n');
    const without = Object.keys(library).filter(
      (name) => isFunction(name) && !code.includes(`${name}(`),
    );
    expect(without).toEqual([]);
  });
});
