import { afterAll, beforeAll } from 'vitest';
import type { OpenStorage, StoragePlace } from './describe-storage.ts';

export type MakePlace = () => Promise<StoragePlace>;

/** Storage that is open while the tests of a suite run. */
export function openedFor(makePlace: MakePlace): Omit<OpenStorage, keyof AsyncDisposable> {
  let place: StoragePlace;
  let storage: OpenStorage;
  beforeAll(async () => {
    place = await makePlace();
    storage = await place.open();
  });
  afterAll(async () => {
    await storage[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });
  return {
    get actors() {
      return storage.actors;
    },
    get service() {
      return storage.service;
    },
  };
}
