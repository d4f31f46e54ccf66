import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { attestationPayload, signAttestation, verifyAttestation } from './attestation.ts';
import type { Boundary } from './boundary.ts';
import type { Did, DidKey } from './identifiers.ts';
import { SigningKey } from './signing-key.ts';

const did = 'did:plc:z72i7hdynmk6r22z27h6tvur' as Did;
const art = 'did:web:stratos.example.com/art' as Boundary;
const writers = 'did:web:stratos.example.com/writers' as Boundary;

describe('attestation', () => {
  it('has the payload of the published vector, whatever the order of the boundaries', () => {
    const signingKey = 'did:key:zDnaeTestKeyPlaceholder' as DidKey;
    const payload = attestationPayload({ did, boundaries: [writers, art, writers], signingKey });
    expect(payload.length).toBe(165);
    expect(createHash('sha256').update(payload).digest('hex')).toBe(
      'aadc78e6c3f90374476b0f09e82e12e76003fb45e653c395355c072ddc610c3f',
    );
  });

  it('holds for the signed claims and the keys of the node alone', async () => {
    const node = SigningKey.generate('secp256k1');
    const signingKey = SigningKey.generate('P-256').did();
    const claims = { did, boundaries: [art], signingKey };
    const attestation = await signAttestation(claims, node);

    expect(verifyAttestation(attestation, claims, [node.did()])).toBe(true);
    expect(
      verifyAttestation(attestation, { ...claims, boundaries: [art, writers] }, [node.did()]),
    ).toBe(false);
    expect(verifyAttestation(attestation, { ...claims, boundaries: [] }, [node.did()])).toBe(false);
  });

  it('is not believed on the strength of the key that it carries itself', async () => {
    const attacker = SigningKey.generate('secp256k1');
    const claims = { did, boundaries: [art], signingKey: SigningKey.generate('P-256').did() };
    const attestation = await signAttestation(claims, attacker);
    const node = SigningKey.generate('secp256k1');
    expect(verifyAttestation(attestation, claims, [node.did()])).toBe(false);
    expect(
      verifyAttestation({ ...attestation, signingKey: node.did() }, claims, [node.did()]),
    ).toBe(false);
  });
});
