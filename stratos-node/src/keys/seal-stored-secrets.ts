import { setImmediate } from 'node:timers/promises';
import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import type { ServiceStorage } from '../storage/service-storage.ts';
import { isSealedSession } from './sealed-oauth-store.ts';
import { isSealed, type Vault } from './vault.ts';

const PEOPLE_PER_PAGE = 200;

export interface SealOptions
  extends Pick<NodeContext, 'actors' | 'actorKeys' | 'locks' | 'logger' | 'service' | 'stopping'> {
  vault: Vault;
  /** The service database as it is stored, without the vault. */
  stored: ServiceStorage;
}

/**
 * Encrypts the keys and sessions of people that were there before the operator set a secret. It runs
 * beside everything else, once; a restart begins again with what is left.
 */
export async function sealStoredSecrets(options: SealOptions): Promise<void> {
  const { vault, stored, logger } = options;
  try {
    if (!vault.isEncrypting || (await stored.vault.sealedAt()) !== undefined) return;
    const sealed = await sealAll(options);
    if (sealed === undefined) return;
    await stored.vault.setSealedAt(new Date().toISOString());
    if (sealed > 0) logger.info({ keys: sealed }, 'the keys of people are encrypted now');
  } catch (err) {
    logger.error({ err }, 'not all keys could be encrypted; a restart goes on with it');
  }
}

/** How many keys were not encrypted before; undefined if the node stops meanwhile. */
async function sealAll(options: SealOptions): Promise<number | undefined> {
  const { stored, stopping } = options;
  let sealed = 0;
  let after = '';
  for (;;) {
    const people = await stored.enrollments.after(after, PEOPLE_PER_PAGE);
    for (const { did } of people) {
      if (stopping.aborted) return undefined;
      if (await sealActorKey(options, did)) sealed += 1;
      await sealSession(options, did);
      await setImmediate();
      after = did;
    }
    if (people.length < PEOPLE_PER_PAGE) return sealed;
  }
}

async function sealActorKey(options: SealOptions, did: Did): Promise<boolean> {
  const { actors, actorKeys, locks } = options;
  return locks.run(did, async () => {
    const stored = await actors.read(did, (actor) => actor.signingKey());
    if (!stored || isSealed(stored)) return false;
    await actors.write(did, (actor) => actor.replaceSigningKey(actorKeys.resealed(did, stored)));
    await actors.scrub(did);
    return true;
  });
}

/** Leaves a session that is renewed in this moment, since that writes it encrypted. */
async function sealSession({ stored, service }: SealOptions, did: Did): Promise<void> {
  const session = await stored.oauth.session(did);
  if (session && !isSealedSession(session)) {
    await service.oauth.replaceSession(did, session, session);
  }
}
