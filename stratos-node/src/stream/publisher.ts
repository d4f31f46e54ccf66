import type { Did } from '@stratos/protocol';
import type { ActorStorage, CommitEvent } from '../storage/actor-storage.ts';
import type { ServiceStorage, ServiceStores } from '../storage/service-storage.ts';
import type { StreamSignal } from './stream-signal.ts';

const EVENTS_PER_READ = 500;

export interface PublisherOptions {
  actors: ActorStorage;
  service: ServiceStorage;
  signal: StreamSignal;
  /** Called after jobs for people's PDSes may have been added. */
  onJobs: () => void;
}

/** A commit as it stands in an actor's own log. */
export interface MadeCommit {
  seq: number;
  event: CommitEvent;
}

/**
 * Carries commits from actors' own logs into the node's stream, in order and each once. A commit
 * that a crash left behind is found at the next start, because its actor was marked before.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #dirty = new Set<Did>();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Must be called before an actor's store is written to. */
  async beforeWrite(did: Did): Promise<void> {
    if (this.#dirty.has(did)) return;
    await this.#options.service.publications.markDirty(did);
    this.#dirty.add(did);
  }

  /**
   * Publishes what is unpublished of an actor, and returns once it is durable.
   *
   * @param made - the commit that was just made, which need not be read again if nothing else is
   */
  async publish(did: Did, made?: MadeCommit): Promise<void> {
    if (made && (await this.#publishNext(did, made))) return;
    await this.#options.service.transact((stores) => this.publishWithin(stores, did));
    this.announce();
  }

  async #publishNext(did: Did, { seq, event }: MadeCommit): Promise<boolean> {
    const { time, stubs = [] } = event;
    if (!(await this.#options.service.publishNext({ did, seq, time, stubs }))) return false;
    this.#options.signal.raise();
    if (stubs.length > 0) this.#options.onJobs();
    return true;
  }

  /** The same as part of a transaction, after which {@link announce} must be called. */
  async publishWithin(stores: ServiceStores, did: Did): Promise<void> {
    let published = await stores.publications.publishedSeq(did);
    for (;;) {
      const after = published;
      const events = await this.#options.actors.read(did, (actor) =>
        actor.eventsAfter(after, EVENTS_PER_READ),
      );
      if (!events || events.size === 0) return;
      for (const [seq, { time, stubs = [] }] of events) {
        await stores.events.append({ did, kind: 'commit', ref: seq, time });
        for (const change of stubs) await stores.outbox.add(did, { kind: 'stub', change });
        published = seq;
      }
      await stores.publications.advance(did, published);
    }
  }

  /** Tells streams and the outbox that there may be something new. */
  announce(): void {
    this.#options.signal.raise();
    this.#options.onJobs();
  }

  /** Publishes what a crash left unpublished. To be called once, before anything else is written. */
  async recover(): Promise<number> {
    const { service } = this.#options;
    const actors = await service.publications.dirtyActors();
    for (const did of actors) {
      await service.transact(async (stores) => {
        // @NOTE without an enrollment the membership has to come first: enrolling again publishes both
        if (await stores.enrollments.get(did)) await this.publishWithin(stores, did);
        await stores.publications.recovered(did);
      });
    }
    return actors.length;
  }

  /** Says that nothing is left unpublished. To be called last, when nothing writes any more. */
  async close(): Promise<void> {
    for (const did of this.#dirty) {
      await this.#options.service.transact(async (stores) => {
        if (await stores.enrollments.get(did)) await this.publishWithin(stores, did);
        await stores.publications.markClean(did);
      });
    }
    this.#dirty.clear();
  }
}
