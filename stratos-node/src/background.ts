import type { NodeContext } from './context.ts';
import { ErasureTimer } from './erasure/erasure-timer.ts';
import type { OpenKeys } from './keys/open-keys.ts';
import { republishEnrollments } from './keys/republish-enrollments.ts';
import { sealStoredSecrets } from './keys/seal-stored-secrets.ts';
import { Retention } from './retention/retention.ts';
import type { NodeStorage } from './storage/open-storage.ts';
import { Announcements } from './storage/postgres/announcements.ts';

/** What the background needs besides the context of the node. */
export interface BackgroundParts {
  storage: NodeStorage;
  keys: Pick<OpenKeys, 'vault'>;
}

/**
 * Publishes what a crash left behind, and goes on to look for what other processes of the node leave.
 * Disposing of it ends the looking.
 */
export async function publishWhatIsLeft(
  ctx: NodeContext,
  { session }: Pick<NodeStorage, 'session'>,
): Promise<AsyncDisposable> {
  const { blobSweep, logger, publisher, service, signal } = ctx;
  const publish = async () => {
    for (const did of await service.publications.dirtyActors()) blobSweep.add(did);
    return publisher.recover();
  };
  const actors = await publish();
  if (actors > 0) logger.warn({ actors }, 'looked for unpublished commits after a crash');
  const watching = new AsyncDisposableStack();
  if (session) {
    const takeOver = async () => {
      await publish();
      publisher.announce();
    };
    watching.use(await Announcements.open({ session, signal, logger, takeOver }));
  }
  return watching;
}

/** Begins what a node does by itself. Disposing of it waits for what listens to `stopping`. */
export function beginBackground(
  ctx: NodeContext,
  { storage, keys }: BackgroundParts,
): AsyncDisposable {
  const running = new AsyncDisposableStack();
  ctx.outbox.start();
  ctx.blobSweep.start();
  const once = [
    republishEnrollments(ctx),
    sealStoredSecrets({ ...ctx, vault: keys.vault, stored: storage.service }),
  ];
  running.defer(async () => void (await Promise.all(once)));
  running.use(new ErasureTimer(ctx));
  running.use(new Retention(ctx));
  return running;
}
