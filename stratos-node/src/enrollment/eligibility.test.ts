import { toDid } from '@stratos/protocol';
import { expect, it } from 'vitest';
import { isEligible } from './eligibility.ts';

const did = toDid('did:plc:reiaaaaaaaaaaaaaaaaaaaaa');
const policy = {
  mode: 'allowlist',
  allowedDids: [],
  allowedPdsOrigins: [],
  boundaries: [],
} as const;
const service = [
  {
    id: '#atproto_pds',
    type: 'AtprotoPersonalDataServer',
    serviceEndpoint: 'https://pds.example.com/',
  },
];
const identity = { didDocument: async () => ({ id: did, service }) };

it('takes whom the operator named, by DID or by PDS, or everybody', async () => {
  expect(await isEligible(did, policy, identity)).toBe(false);
  expect(await isEligible(did, { ...policy, mode: 'open' }, identity)).toBe(true);
  expect(await isEligible(did, { ...policy, allowedDids: [did] }, identity)).toBe(true);
  const byPds = (origin: string) => ({ ...policy, allowedPdsOrigins: [origin] });
  expect(await isEligible(did, byPds('https://pds.example.com'), identity)).toBe(true);
  expect(await isEligible(did, byPds('https://other.example.com'), identity)).toBe(false);
});

it('takes nobody whose PDS cannot be found out', async () => {
  const byPds = { ...policy, allowedPdsOrigins: ['https://pds.example.com'] };
  const failing = { didDocument: () => Promise.reject(new Error('down')) };
  expect(await isEligible(did, byPds, failing)).toBe(false);
  expect(await isEligible(did, byPds, { didDocument: async () => undefined })).toBe(false);
});
