import { expect, test } from 'vitest';
import { createDidResolver } from '../identity/did-resolver.ts';
import { answering } from '../testing/answers.ts';
import { enrollmentRkey, parseEnrollmentRecord } from './enrollment-record.ts';
import { listEnrollments } from './list-enrollments.ts';

const REI = 'did:plc:reireireireireireireirei';
const plcUrl = 'https://plc.example';
const pds = 'https://pds.example';
const SIG = btoa('s'.repeat(64)).replaceAll('=', '');

function enrollment(changes: object = {}) {
  return {
    service: 'https://node.example/',
    boundaries: [{ value: 'did:web:node.example/art' }, { value: 'bare' }, 7],
    signingKey: 'did:key:zPerson',
    attestation: { sig: { $bytes: SIG }, signingKey: 'did:key:zNode' },
    createdAt: '2026-01-01T00:00:00Z',
    ...changes,
  };
}

function record(rkey: string, changes: object = {}) {
  return { uri: `at://${REI}/zone.stratos.actor.enrollment/${rkey}`, value: enrollment(changes) };
}

function worldOf(pages: object[][]) {
  const service = [{ id: '#atproto_pds', serviceEndpoint: pds }];
  const node = [{ id: '#stratos', serviceEndpoint: 'https://node.example' }];
  const { fetch, asked } = answering({
    [`${plcUrl}/${REI}`]: { id: REI, service },
    'https://node.example/.well-known/did.json': { id: 'did:web:node.example', service: node },
    [`${pds}/xrpc/com.atproto.repo.listRecords`]: ({ url }) => {
      const page = Number(new URL(url).searchParams.get('cursor') ?? 0);
      const cursor = page + 1 < pages.length ? { cursor: String(page + 1) } : {};
      return Response.json({ records: pages[page], ...cursor });
    },
  });
  return { options: { dids: createDidResolver({ plcUrl, fetch }), fetch }, asked };
}

test('reads all pages, and finds the service behind each', async () => {
  const { options } = worldOf([
    [
      record('did:web:node.example'),
      record('did:web:gone.example', { service: 'https://x.example' }),
    ],
    [record('broken', { attestation: undefined }), record('did:web:localhost:3100')],
  ]);
  const enrollments = await listEnrollments(REI, options);
  expect(enrollments.map(({ nodeDid, node }) => [nodeDid, node?.url])).toEqual([
    ['did:web:node.example', 'https://node.example'],
    ['did:web:gone.example', undefined],
    ['did:web:localhost%3A3100', undefined],
  ]);
  expect(enrollments[0]).toMatchObject({
    service: 'https://node.example',
    boundaries: ['did:web:node.example/art'],
    createdAt: new Date('2026-01-01T00:00:00Z'),
  });
});

test('takes the newest of several for one node', async () => {
  const newer = { createdAt: '2026-02-01T00:00:00Z', signingKey: 'did:key:zNewer' };
  const { options } = worldOf([[record('self', newer), record('did:web:node.example')]]);
  const enrollments = await listEnrollments(REI, options);
  expect(enrollments.map(({ rkey, signingKey }) => [rkey, signingKey])).toEqual([
    ['self', 'did:key:zNewer'],
  ]);
});

test('stops at a PDS that pages without end', async () => {
  const { options, asked } = worldOf(Array.from({ length: 50 }, () => []));
  expect(await listEnrollments(REI, options)).toEqual([]);
  expect(asked.filter((url) => url.startsWith(pds))).toHaveLength(10);
});

test('says that the PDS did not answer, instead of nothing', async () => {
  const { options } = worldOf([[]]);
  const fetch = () => Promise.reject(new TypeError('fetch failed'));
  await expect(listEnrollments(REI, { ...options, fetch })).rejects.toMatchObject({
    code: 'Unreachable',
  });
});

test('reads the records of older services', () => {
  const numbers = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [i, i]));
  const attestation = { sig: numbers, signingKey: 'did:key:zNode' };
  const older = parseEnrollmentRecord('self', enrollment({ attestation }));
  expect(older?.attestation.sig[63]).toBe(63);
  expect(older?.nodeDid).toBe('did:web:node.example');
  const bare = { boundaries: [], service: 'http://localhost:3100' };
  expect(parseEnrollmentRecord('3jzfcijpj2z2a', enrollment(bare))?.nodeDid).toBe(
    'did:web:localhost%3A3100',
  );
  for (const broken of [
    { service: 'x' },
    { createdAt: 'never' },
    { signingKey: 1 },
    { attestation: { sig: { $bytes: 'AAAA' }, signingKey: 'x' } },
  ]) {
    expect(parseEnrollmentRecord('self', enrollment(broken))).toBeUndefined();
  }
  expect(enrollmentRkey('did:web:localhost%3a3100')).toBe('did:web:localhost:3100');
});
