import { toDid } from '@stratos/protocol';
import { expect, it } from 'vitest';
import { isEligible } from './eligibility.ts';

const did = toDid('did:plc:reiaaaaaaaaaaaaaaaaaaaaa');
const policy = {
  mode: 'allowlist',
  allowedDids: [],
  allowedPdsOrigins: [],
  allowListUri: undefined,
  allowListName: 'stratos:allow-list',
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
const allowList = { has: async () => false };
const sources = { identity, allowList };

it('takes whom the operator named, by DID or by PDS, or everybody', async () => {
  expect(await isEligible(did, policy, sources)).toBe(false);
  expect(await isEligible(did, { ...policy, mode: 'open' }, sources)).toBe(true);
  expect(await isEligible(did, { ...policy, allowedDids: [did] }, sources)).toBe(true);
  const byPds = (origin: string) => ({ ...policy, allowedPdsOrigins: [origin] });
  expect(await isEligible(did, byPds('https://pds.example.com'), sources)).toBe(true);
  expect(await isEligible(did, byPds('https://other.example.com'), sources)).toBe(false);
});

it('takes nobody whose PDS cannot be found out', async () => {
  const byPds = { ...policy, allowedPdsOrigins: ['https://pds.example.com'] };
  const failing = { didDocument: () => Promise.reject(new Error('down')) };
  expect(await isEligible(did, byPds, { allowList, identity: failing })).toBe(false);
  const absent = { didDocument: async () => undefined };
  expect(await isEligible(did, byPds, { allowList, identity: absent })).toBe(false);
});

it('takes whoever is on the allow list', async () => {
  const listed = { identity, allowList: { has: async (asked: string) => asked === did } };
  expect(await isEligible(did, policy, listed)).toBe(true);
  const other = toDid('did:plc:mikaaaaaaaaaaaaaaaaaaaaa');
  expect(await isEligible(other, policy, listed)).toBe(false);
});
