import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zone } from '@stratos/protocol/lexicons';
import { type NodeConfig, readConfig, startNode } from '@stratos/stratos-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Account, Browser, enrollAccount, startThrowawayAtproto } from '../network/src/index.ts';
import { eventually } from './eventually.ts';

/** Never looked up. Names that are kept for tests are refused by the PDS. */
const PUBLIC_URL = 'https://node.swordsmith.community';
const HANDLE = 'rei.test';
const PASSWORD = 'a password of the test';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const opened = new AsyncDisposableStack();
let dataDir: string;
let plcUrl: string;
let pdsUrl: string;
/** What the PDS has fetched from the node, whose address it can only know from the client's id. */
const fetchedFromNode: string[] = [];
/** What the node has sent to the token endpoint and the like. */
const assertions: string[] = [];
let nodeUrl = '';

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-confidential-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  ({ plcUrl, pdsUrl } = opened.use(await startThrowawayAtproto()));
  standInForTls();
});
afterAll(() => opened.disposeAsync());

/** Here nobody ends TLS for the node: what is meant for its public address goes to its port. */
function standInForTls(): void {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    if (origin === PUBLIC_URL) {
      fetchedFromNode.push(pathname);
      return fetch(new URL(pathname, nodeUrl));
    }
    if (pathname.startsWith('/oauth/')) {
      const type = new URLSearchParams(await request.clone().text()).get('client_assertion_type');
      assertions.push(`${pathname} ${type}`);
    }
    return fetch(request);
  };
  opened.defer(() => {
    globalThis.fetch = fetch;
  });
}

function nodeConfig(): NodeConfig {
  const config = readConfig({
    STRATOS_SERVICE_DID: 'did:web:node.swordsmith.community',
    STRATOS_PUBLIC_URL: PUBLIC_URL,
    STRATOS_PORT: '0',
    STRATOS_DATA_DIR: join(dataDir, 'node'),
    STRATOS_ALLOWED_DOMAINS: 'art',
    STRATOS_ENROLLMENT_MODE: 'open',
    STRATOS_AUTO_ENROLL_DOMAINS: 'art',
    STRATOS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    STRATOS_PLC_URL: plcUrl,
    STRATOS_HANDLE_RESOLVER_URL: pdsUrl,
    STRATOS_OAUTH_CLIENT_SECRET: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    LOG_LEVEL: 'silent',
  });
  // The PDS of the test is on this machine, which is refused to a node with a public address.
  return { ...config, devMode: true };
}

it('enrolls people as a confidential client, whose key a real PDS has fetched', async () => {
  const account = await Account.signInOrCreate(pdsUrl, { handle: HANDLE, password: PASSWORD });
  await using node = await startNode(nodeConfig());
  nodeUrl = `http://localhost:${node.port}`;

  const browser = new Browser({ reachedAt: { [PUBLIC_URL]: nodeUrl } });
  await enrollAccount(PUBLIC_URL, { username: HANDLE, password: PASSWORD }, browser);

  expect(new Set(fetchedFromNode)).toEqual(new Set(['/client-metadata.json', '/oauth/jwks.json']));
  const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  expect(new Set(assertions)).toEqual(
    new Set([`/oauth/par ${jwtBearer}`, `/oauth/token ${jwtBearer}`]),
  );
  await eventually(async () => {
    const { data } = await account.pds.com.atproto.repo.listRecords({
      repo: account.did,
      collection: zone.stratos.actor.enrollment.$nsid,
    });
    expect(data.records.map(({ value }) => value['service'])).toEqual([PUBLIC_URL]);
  });
});
