import { randomBytes, scrypt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ConfigError } from '@stratos/protocol/environment';
import type { KeyConfig } from '../config.ts';
import type { VaultStore } from '../storage/service-storage.ts';
import { KeyVault, plainVault, SealedError, type Vault } from './vault.ts';

const MIN_SECRET_LENGTH = 16;
const CANARY = Buffer.from('the encryption key of this node is the one that it began with');
const PURPOSE = 'canary';
/** 32 MB and about a tenth of a second, once at each start. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/**
 * The vault under the operator's secret; from the first time on it must be that one.
 *
 * @throws ConfigError for another secret, none where there was one, or one that cannot be read
 */
export async function openVault(config: KeyConfig, store: VaultStore): Promise<Vault> {
  const secret = await secretOf(config);
  const known = await store.get();
  if (secret === undefined) {
    if (!known) return plainVault;
    throw new ConfigError(
      'the keys of this node are encrypted: STRATOS_KEY_ENCRYPTION_KEY or _FILE must be set',
    );
  }
  const row = known ?? (await begin(secret, store));
  const vault = await vaultOf(secret, row.salt);
  try {
    vault.open(row.canary, PURPOSE);
  } catch (error) {
    if (!(error instanceof SealedError)) throw error;
    throw new ConfigError(
      'STRATOS_KEY_ENCRYPTION_KEY is not the one that the keys of this node are encrypted with',
    );
  }
  return vault;
}

async function begin(secret: string, store: VaultStore) {
  const salt = randomBytes(32);
  const made = { salt, canary: (await vaultOf(secret, salt)).seal(CANARY, PURPOSE) };
  await store.create(made);
  // @NOTE another process may have been first
  return (await store.get()) ?? made;
}

async function vaultOf(secret: string, salt: Uint8Array): Promise<KeyVault> {
  const derive = promisify<string, Uint8Array, number, typeof COST, Buffer>(scrypt);
  return new KeyVault(await derive(secret, salt, 32, COST));
}

async function secretOf({ encryptionKey, encryptionKeyFile }: KeyConfig) {
  if (encryptionKey !== undefined && encryptionKeyFile !== undefined) {
    throw new ConfigError('set STRATOS_KEY_ENCRYPTION_KEY or STRATOS_KEY_ENCRYPTION_KEY_FILE');
  }
  const secret =
    encryptionKeyFile === undefined ? encryptionKey : await readSecret(encryptionKeyFile);
  if (secret !== undefined && secret.length < MIN_SECRET_LENGTH) {
    throw new ConfigError(
      `STRATOS_KEY_ENCRYPTION_KEY must have at least ${MIN_SECRET_LENGTH} characters`,
    );
  }
  return secret;
}

async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new ConfigError('STRATOS_KEY_ENCRYPTION_KEY_FILE cannot be read');
  });
  return text.trim();
}
