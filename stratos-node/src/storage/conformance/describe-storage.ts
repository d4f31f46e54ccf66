import { describe, expect } from 'vitest';
import type { ActorStorage } from '../actor-storage.ts';
import type { ServiceStorage } from '../service-storage.ts';
import { actorLifeSuite } from './actor-life.ts';
import { actorReadSuite } from './actor-reads.ts';
import { actorWriteSuite } from './actor-writes.ts';
import { blobSuite } from './blobs.ts';
import { concurrencySuite } from './concurrency.ts';
import { enrollmentSuite } from './enrollments.ts';
import { keySuite } from './keys.ts';
import { logSuite } from './logs.ts';
import { outboxSuite } from './outbox.ts';
import { sessionSuite } from './sessions.ts';

/** The storage of one node, as long as it is open. */
export interface OpenStorage extends AsyncDisposable {
  readonly actors: ActorStorage;
  readonly service: ServiceStorage;
}

/** A place where a node keeps its storage. Disposing of it removes everything. */
export interface StoragePlace extends AsyncDisposable {
  open(): Promise<OpenStorage>;
}

// @NOTE bytes are bytes, in a Buffer or not
expect.addEqualityTesters([
  (a: unknown, b: unknown) =>
    a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : undefined,
]);

/** What every backend must do, whatever it is. Each suite has a place of its own. */
export function describeStorage(name: string, makePlace: () => Promise<StoragePlace>): void {
  describe(name, () => {
    describe('the stores of actors', () => {
      actorLifeSuite(makePlace);
      actorWriteSuite(makePlace);
      actorReadSuite(makePlace);
      blobSuite(makePlace);
      concurrencySuite(makePlace);
    });
    describe('the service database', () => {
      enrollmentSuite(makePlace);
      logSuite(makePlace);
      outboxSuite(makePlace);
      sessionSuite(makePlace);
      keySuite(makePlace);
    });
  });
}
