import assert from 'node:assert/strict';
import { parseDidKey } from '@atproto/crypto';
import { isDid } from '@stratos/protocol';
import { CheckGroup } from '../check.ts';

const PATH = '/.well-known/did.json';

/** Who the node is. */
export const didDocument = new CheckGroup('did-document');

didDocument.add('is served as JSON, with 200 and without a redirect', async ({ node }) => {
  const answer = await node.request(PATH);
  assert.equal(answer.status, 200);
  assert.match(answer.contentType, /^application\/(did\+(ld\+)?)?json$/);
});

didDocument.add('is about a DID', async ({ node }) => {
  assert.ok(isDid(node.didDocument.id), node.didDocument.id);
});

didDocument.add('says by which contexts it is read', async ({ node }) => {
  const { '@context': context } = node.didDocument as { '@context'?: string[] };
  assert.ok(context?.includes('https://www.w3.org/ns/did/v1'));
  assert.ok(context?.includes('https://w3id.org/security/multikey/v1'));
});

didDocument.add('has a key #atproto, a Multikey of its own', async ({ node }) => {
  assert.ok(keyOf(node.didDocument, 'atproto')?.startsWith('z'));
});

didDocument.add('has the same key as #atproto_pns', async ({ node }) => {
  const key = keyOf(node.didDocument, 'atproto_pns');
  assert.equal(key, keyOf(node.didDocument, 'atproto'));
});

didDocument.add('has a secp256k1 key', async ({ node }) => {
  const { jwtAlg } = parseDidKey(`did:key:${keyOf(node.didDocument, 'atproto')}`);
  assert.equal(jwtAlg, 'ES256K');
});

for (const fragment of ['atproto_pns', 'stratos']) {
  didDocument.add(`has a service #${fragment} at an http(s) URL`, async ({ node }) => {
    assert.match(endpointOf(node.didDocument, fragment) ?? '', /^https?:\/\/[^/]+$/);
  });
}

didDocument.add('gives both services the same URL', async ({ node }) => {
  const { didDocument: document } = node;
  assert.equal(endpointOf(document, 'atproto_pns'), endpointOf(document, 'stratos'));
});

didDocument.add('may be read by pages of any origin', async ({ node }) => {
  const answer = await node.request(PATH, { headers: { origin: 'https://app.example' } });
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
});

didDocument.add('answers HEAD like GET, without a body', async ({ node }) => {
  const answer = await node.request(PATH, { method: 'HEAD' });
  assert.equal(answer.status, 200);
  assert.equal(answer.bytes.length, 0);
});

type Document = { verificationMethod?: object[]; service?: object[]; id: string };

function keyOf(document: Document, fragment: string): string | undefined {
  const methods = document.verificationMethod as
    | { id: string; type: string; controller: string; publicKeyMultibase: string }[]
    | undefined;
  const method = methods?.find(({ id }) => id === `${document.id}#${fragment}`);
  assert.ok(method, `there is no key ${document.id}#${fragment}`);
  assert.equal(method.type, 'Multikey');
  assert.equal(method.controller, document.id);
  return method.publicKeyMultibase;
}

function endpointOf(document: Document, fragment: string): string | undefined {
  const services = document.service as { id: string; serviceEndpoint: string }[] | undefined;
  const names = [`#${fragment}`, `${document.id}#${fragment}`];
  return services?.find(({ id }) => names.includes(id))?.serviceEndpoint;
}
