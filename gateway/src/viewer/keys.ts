import { hkdfSync } from 'node:crypto';
import { loadOrCreateSigningKey, type SigningKey } from '@stratos/protocol';

/** The secrets of a gateway, all from one file, so that replicas share them and restarts keep them. */
export interface GatewayKeys {
  session: SigningKey;
  /** For AES-256-GCM. */
  cursor: Uint8Array;
  /** For HMAC-SHA-256. */
  dpopNonce: Uint8Array;
}

export async function loadGatewayKeys(file: string): Promise<GatewayKeys> {
  const session = await loadOrCreateSigningKey(file, 'P-256');
  return {
    session,
    cursor: derive(session, 'stratos gateway cursor'),
    dpopNonce: derive(session, 'stratos gateway dpop nonce'),
  };
}

function derive(key: SigningKey, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key.export(), new Uint8Array(), purpose, 32));
}
