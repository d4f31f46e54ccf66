import { describe, expect, test } from 'vitest';
import type { Did } from '../identifiers.ts';
import { answering } from '../testing/answers.ts';
import { nodeEndpoint, pdsEndpoint } from './did-document.ts';
import { createDidResolver } from './did-resolver.ts';

const REI = 'did:plc:reireireireireireireirei';
const NODE = 'did:web:node.example';
const plcUrl = 'https://plc.example';

test('resolves did:plc by the directory and did:web by its domain', async () => {
  const service = [{ id: '#atproto_pds', type: 'x', serviceEndpoint: 'https://pds.example/' }];
  const { fetch, asked } = answering({
    [`${plcUrl}/${REI}`]: { id: REI, service },
    'https://node.example/.well-known/did.json': { id: NODE },
    'http://localhost:3100/.well-known/did.json': { id: 'did:web:localhost%3A3100' },
  });
  const dids = createDidResolver({ plcUrl, fetch });
  const document = await dids.resolve(REI);
  expect(document && pdsEndpoint(document)).toBe('https://pds.example');
  expect(await dids.resolve(NODE)).toMatchObject({ id: NODE });
  expect(await dids.resolve('did:web:localhost%3A3100')).toBeDefined();
  expect(await dids.resolve('did:web:gone.example')).toBeUndefined();
  expect(asked).toHaveLength(4);
});

test.each<Did>([
  'did:key:zDnaeTestKeyPlaceholder',
  'did:plc:short',
  'did:web:node.example:path',
  'did:web:node.example%3A8443',
  'did:web:node.example%2Fpath',
  'did:web:10.0.0.1',
  'did:web:localhost%3A3100%40evil.example',
])('asks nobody for %s', async (did) => {
  const { fetch, asked } = answering({});
  const refused = createDidResolver({ plcUrl, fetch }).resolve(did);
  await expect(refused).rejects.toMatchObject({ code: 'InvalidDid' });
  expect(asked).toEqual([]);
});

test('does not take the document of somebody else', async () => {
  const { fetch } = answering({ [`${plcUrl}/${REI}`]: { id: NODE } });
  const resolved = createDidResolver({ plcUrl, fetch }).resolve(REI);
  await expect(resolved).rejects.toMatchObject({ name: 'UnreachableError', code: 'BadAnswer' });
});

describe('what it keeps', () => {
  const NODES: Did[] = ['did:web:a.example', 'did:web:b.example', 'did:web:c.example'];
  const answers = Object.fromEntries(
    NODES.map((id) => [`https://${id.slice(8)}/.well-known/did.json`, { id }]),
  );
  const [a, b, c] = NODES as [Did, Did, Did];

  test('is asked for once, also by those who ask at the same time, until it is too old', async () => {
    const { fetch, asked } = answering(answers);
    const dids = createDidResolver({ fetch });
    await Promise.all([dids.resolve(a), dids.resolve(a)]);
    await dids.resolve(a);
    expect(asked).toHaveLength(1);
    await dids.resolve(a, { refresh: true });
    expect(asked).toHaveLength(2);
    const forgetful = createDidResolver({ fetch, cachedMs: 0 });
    await forgetful.resolve(a);
    await forgetful.resolve(a);
    expect(asked).toHaveLength(4);
  });

  test('is bounded: the oldest goes', async () => {
    const { fetch, asked } = answering(answers);
    const dids = createDidResolver({ fetch, maxCached: 2 });
    for (const did of [a, b, c, c, b, a]) await dids.resolve(did);
    expect(asked).toHaveLength(4);
  });

  test('is no failure', async () => {
    let isDown = true;
    const { fetch } = answering({
      'https://a.example/.well-known/did.json': () =>
        isDown ? new Response('', { status: 503 }) : Response.json({ id: a }),
    });
    const dids = createDidResolver({ fetch });
    await expect(dids.resolve(a)).rejects.toMatchObject({ code: 'Unreachable' });
    isDown = false;
    expect(await dids.resolve(a)).toMatchObject({ id: a });
  });
});

test('tells who cannot be reached from who is too slow', async () => {
  const away = createDidResolver({ fetch: () => Promise.reject(new TypeError('fetch failed')) });
  await expect(away.resolve(NODE)).rejects.toMatchObject({ code: 'Unreachable' });
  const slow = createDidResolver({
    timeoutMs: 1,
    fetch: (_, init) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      }),
  });
  await expect(slow.resolve(NODE)).rejects.toMatchObject({ code: 'TimedOut' });
});

test('the node is the service that a stub names, or that nodes have', () => {
  const at = (id: string, serviceEndpoint: unknown) => ({ id, serviceEndpoint });
  const document = (...service: ReturnType<typeof at>[]) => ({ id: NODE, service });
  const both = document(
    at(`${NODE}#stratos`, 'https://a.example'),
    at('#own', 'https://b.example'),
  );
  expect(nodeEndpoint(both)).toBe('https://a.example');
  expect(nodeEndpoint(both, 'own')).toBe('https://b.example');
  expect(nodeEndpoint(both, 'missing')).toBe('https://a.example');
  expect(nodeEndpoint(document(at('#stratos', 'javascript:alert(1)')))).toBeUndefined();
  expect(
    nodeEndpoint(document(at('did:web:other.example#stratos', 'https://a.example'))),
  ).toBeUndefined();
});
