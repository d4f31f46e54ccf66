import { describe, expect, it } from 'vitest';
import { signAttestation } from './attestation.ts';
import { qualifyBoundary } from './boundary.ts';
import {
  buildEnrollmentRecord,
  enrollmentRkey,
  parseEnrollmentRecord,
} from './enrollment-record.ts';
import { toDid } from './identifiers.ts';
import { SigningKey } from './signing-key.ts';

const node = toDid('did:web:127.0.0.1%3A3100');
const person = toDid('did:plc:z72i7hdynmk6r22z27h6tvur');
const signingKey = SigningKey.generate('P-256').did();
const boundaries = [qualifyBoundary(node, 'art')];

async function example() {
  const attestation = await signAttestation(
    { did: person, boundaries, signingKey },
    SigningKey.generate('secp256k1'),
  );
  return {
    service: 'http://127.0.0.1:3100',
    boundaries,
    signingKey,
    attestation,
    createdAt: new Date('2026-01-01T00:00:00Z'),
  };
}

describe('enrollment record', () => {
  it('has the node’s DID as key, with plain colons', () => {
    expect(enrollmentRkey(node)).toBe('did:web:127.0.0.1:3100');
    expect(enrollmentRkey(toDid('did:web:a.example%3a1'))).toBe('did:web:a.example:1');
  });

  it('is read back as it was built', async () => {
    const record = await example();
    const read = parseEnrollmentRecord(buildEnrollmentRecord(record));
    expect(read).toEqual(record);
  });

  it('is read with the signature as $bytes or as a map of numbers', async () => {
    const record = await example();
    const built = buildEnrollmentRecord(record);
    const { sig } = record.attestation;
    const asText = { $bytes: Buffer.from(sig).toString('base64').replace(/=+$/, '') };
    for (const form of [asText, { ...sig }]) {
      const value = {
        ...built,
        attestation: { signingKey: record.attestation.signingKey, sig: form },
      };
      expect(Buffer.from(parseEnrollmentRecord(value)?.attestation.sig ?? [])).toEqual(
        Buffer.from(sig),
      );
    }
  });

  it('is nothing without service, key, time or attestation', async () => {
    const built = buildEnrollmentRecord(await example());
    for (const field of ['service', 'signingKey', 'createdAt', 'attestation']) {
      expect(parseEnrollmentRecord({ ...built, [field]: undefined })).toBeUndefined();
    }
    expect(parseEnrollmentRecord(null)).toBeUndefined();
  });
});
