import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tracer } from '@stratos/protocol/telemetry';
import type { NodeConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { ServiceStorage } from '../storage/service-storage.ts';
import { observedService } from '../telemetry/observed.ts';
import { NodeKeyFile } from './node-key-file.ts';
import { NodeKeys } from './node-keys.ts';
import { openVault } from './open-vault.ts';
import { makePrivate } from './private-files.ts';
import { withSealedSessions } from './sealed-oauth-store.ts';
import type { Vault } from './vault.ts';

export interface OpenKeysOptions {
  config: NodeConfig;
  /** The service database as it is stored. */
  stored: ServiceStorage;
  logger: Logger;
  tracer: Tracer;
}

/** What the node signs with, and what its secrets lie encrypted under. */
export interface OpenKeys extends Disposable {
  readonly vault: Vault;
  readonly nodeKeys: NodeKeys;
  /** The service database, which keeps no session of a person unsealed. */
  readonly service: ServiceStorage;
}

/** Makes the data folder if there is none, and takes it and what is secret in it away from other users. */
export async function openDataFolder(dataDir: string, logger: Logger): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await makePrivate([dataDir, keyFileOf(dataDir), join(dataDir, 'service.sqlite')], logger);
}

/**
 * Opens the vault under the operator's secret, and with it the key of the node.
 *
 * @throws ConfigError for a secret or a key that is not the node's
 */
export async function openKeys(options: OpenKeysOptions): Promise<OpenKeys> {
  const { config, stored, logger, tracer } = options;
  const vault = await openVault(config.keys, stored.vault);
  if (!vault.isEncrypting)
    logger.warn('keys are not encrypted: STRATOS_KEY_ENCRYPTION_KEY is unset');
  const service = observedService(withSealedSessions(stored, vault), tracer);
  const nodeKeys = await NodeKeys.open({
    did: config.serviceDid,
    service,
    vault,
    file: new NodeKeyFile(keyFileOf(config.dataDir), vault),
    signingKeyHex: config.keys.signingKeyHex,
    logger,
  });
  return { vault, nodeKeys, service, [Symbol.dispose]: () => nodeKeys[Symbol.dispose]() };
}

function keyFileOf(dataDir: string): string {
  return join(dataDir, 'signing_key');
}
