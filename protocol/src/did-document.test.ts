import { bytesToMultibase, parseDidKey } from '@atproto/crypto';
import { describe, expect, it } from 'vitest';
import { appViewDidDocument, atprotoKeyOf, type DidDocument } from './did-document.ts';
import type { Did } from './identifiers.ts';
import { SigningKey } from './signing-key.ts';

const did = 'did:web:stratos.example.com' as Did;

function documentWith(type: string, publicKeyMultibase: string): DidDocument {
  const method = { id: `${did}#atproto`, type, controller: did, publicKeyMultibase };
  return { id: did, verificationMethod: [method] };
}

describe('atprotoKeyOf', () => {
  it.each([
    ['P-256', 'EcdsaSecp256r1VerificationKey2019'],
    ['secp256k1', 'EcdsaSecp256k1VerificationKey2019'],
  ] as const)('reads a %s key as Multikey and as %s', (curve, legacyType) => {
    const key = SigningKey.generate(curve).did();
    const point = bytesToMultibase(parseDidKey(key).keyBytes, 'base58btc');
    expect(atprotoKeyOf(documentWith(legacyType, point))).toBe(key);
    expect(atprotoKeyOf(documentWith('Multikey', key.slice('did:key:'.length)))).toBe(key);
  });

  it('finds its own key in its own document', () => {
    const signingKey = SigningKey.generate('secp256k1').did();
    const document = appViewDidDocument({ did, publicUrl: 'https://x.example', signingKey });
    expect(atprotoKeyOf(document as DidDocument)).toBe(signingKey);
  });

  it.each([
    ['JsonWebKey2020', 'zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'],
    ['Multikey', 'not multibase'],
    ['Multikey', ''],
    ['EcdsaSecp256k1VerificationKey2019', 'zQ3sh'],
  ])('finds no key in %s %j', (type, multibase) => {
    expect(atprotoKeyOf(documentWith(type, multibase))).toBeUndefined();
  });
});
