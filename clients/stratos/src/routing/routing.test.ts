import { buildStub, toAtUri, toCid, toDid } from '@stratos/protocol';
import { describe, expect, test } from 'vitest';
import { createDidResolver } from '../identity/did-resolver.ts';
import { answering } from '../testing/answers.ts';
import { isBoundary, nodeOfBoundaries, parseBoundary } from './boundary.ts';
import { findStub } from './find-stub.ts';
import { findNode } from './node.ts';
import { parseStub } from './stub.ts';

const REI = 'did:plc:reireireireireireireirei';
const NODE = 'did:web:node.example';
const URI = `at://${REI}/zone.stratos.feed.post/3l2eoxvkq7c2y`;
const CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const stub = buildStub({ uri: toAtUri(URI), cid: toCid(CID), nodeDid: toDid(NODE), record: {} });

describe('boundaries', () => {
  test('are of the node that they name', () => {
    expect(parseBoundary(`${NODE}/art`)).toEqual({ node: NODE, name: 'art' });
    expect(nodeOfBoundaries([`${NODE}/art`, `${NODE}/writers`])).toBe(NODE);
    for (const no of ['art', `${NODE}/`, `${NODE}/Art`, `${NODE}/a/b`, `/art`, 7]) {
      expect([no, isBoundary(no)]).toEqual([no, false]);
    }
  });

  test.each([
    ['NoBoundary', []],
    ['InvalidBoundary', [`${NODE}/art`, 'art']],
    ['SeveralNodes', [`${NODE}/art`, 'did:web:other.example/art']],
  ])('%s is not sent', (code, boundaries) => {
    expect(() => nodeOfBoundaries(boundaries)).toThrow(expect.objectContaining({ code }));
  });
});

describe('stubs', () => {
  test('say which node holds which record', () => {
    expect(parseStub(stub)).toEqual({ uri: URI, cid: CID, node: NODE, fragment: 'atproto_pns' });
    const { source } = JSON.parse(JSON.stringify(stub));
    const bare = { ...source, service: NODE };
    expect(parseStub({ source: bare })).toMatchObject({ node: NODE, fragment: undefined });
  });

  test.each([
    undefined,
    null,
    'text',
    { text: 'a public post' },
    { source: { vary: 'authenticated', service: NODE } },
    { source: { vary: 1, subject: { uri: URI, cid: CID }, service: NODE } },
    { source: { vary: 'x', subject: { uri: 'at://rei.test/a.b.c/x', cid: CID }, service: NODE } },
    { source: { vary: 'x', subject: { uri: URI, cid: 'cid' }, service: NODE } },
    { source: { vary: 'x', subject: { uri: URI, cid: CID }, service: 'https://node.example' } },
  ])('are not %j', (record) => {
    expect(parseStub(record)).toBeUndefined();
  });

  test('are found on the PDS of the author, unless they are for another record', async () => {
    const plcUrl = 'https://plc.example';
    let value: object = stub;
    const { fetch } = answering({
      [`${plcUrl}/${REI}`]: {
        id: REI,
        service: [{ id: '#atproto_pds', serviceEndpoint: 'https://pds.example' }],
      },
      'https://pds.example/xrpc/com.atproto.repo.getRecord': (request) =>
        request.url.includes('3l2eoxvkq7c2y')
          ? Response.json({ value })
          : Response.json({ error: 'RecordNotFound' }, { status: 400 }),
    });
    const options = { dids: createDidResolver({ plcUrl, fetch }), fetch };
    expect(await findStub(URI, options)).toMatchObject({ node: NODE, cid: CID });
    expect(await findStub(URI.replace('3l2eoxvkq7c2y', '3l2eoxvkq7c2z'), options)).toBeUndefined();
    value = buildStub({
      uri: toAtUri(`${URI}2`),
      cid: toCid(CID),
      nodeDid: toDid(NODE),
      record: {},
    });
    expect(await findStub(URI, options)).toBeUndefined();
    await expect(findStub('at://rei.test/x', options)).rejects.toMatchObject({
      code: 'InvalidUri',
    });
  });
});

test('a node is where its own document says', async () => {
  const service = [{ id: '#atproto_pns', serviceEndpoint: 'https://node.example/' }];
  const { fetch } = answering({
    'https://node.example/.well-known/did.json': { id: NODE, service },
    'https://none.example/.well-known/did.json': { id: 'did:web:none.example' },
  });
  const dids = createDidResolver({ fetch });
  expect(await findNode(NODE, { dids })).toEqual({ did: NODE, url: 'https://node.example' });
  for (const did of ['did:web:none.example', 'did:web:gone.example'] as const) {
    await expect(findNode(did, { dids })).rejects.toMatchObject({ code: 'NodeNotFound' });
  }
});
