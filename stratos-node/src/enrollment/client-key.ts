import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { ConfigError } from '@stratos/protocol/environment';
import type { NodeConfig } from '../config.ts';

/**
 * The private key by which a confidential client proves itself, named by its thumbprint (RFC 7638);
 * undefined for a public client.
 *
 * @throws ConfigError for anything but the PEM of a P-256 key, or for a client that cannot have one
 */
export function clientKey({ publicUrl, oauth }: Pick<NodeConfig, 'publicUrl' | 'oauth'>) {
  if (oauth.clientSecret === undefined) return undefined;
  if (publicUrl.startsWith('http:')) {
    throw new ConfigError(
      'STRATOS_OAUTH_CLIENT_SECRET needs an https STRATOS_PUBLIC_URL, from which a PDS can fetch the public key',
    );
  }
  const { kty, crv, x, y, d } = parsePem(oauth.clientSecret).export({ format: 'jwk' });
  if (crv !== 'P-256') refuse();
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y }));
  return {
    kty,
    crv,
    x,
    y,
    d,
    kid: thumbprint.digest('base64url'),
    alg: 'ES256',
    key_ops: ['sign'],
  };
}

function parsePem(pem: string): KeyObject {
  try {
    // @NOTE environment files have no line breaks within a value
    return createPrivateKey(pem.replaceAll('\\n', '\n'));
  } catch {
    return refuse();
  }
}

function refuse(): never {
  throw new ConfigError('STRATOS_OAUTH_CLIENT_SECRET must be the PEM of a P-256 private key');
}
