import type { ReplayStore } from '@stratos/protocol';
import { noTracer, type Tracer, traced } from '@stratos/protocol/telemetry';
import type { FindPdsSession } from '../outbox/oauth-sessions.ts';
import type { RunJob } from '../outbox/outbox-worker.ts';
import { PdsError } from '../outbox/pds-repo.ts';
import type { ActorStorage } from '../storage/actor-storage.ts';
import type { ServiceStorage } from '../storage/service-storage.ts';
import type { NodeMetrics } from './metrics.ts';

/** Counts what becomes of jobs, and follows them. */
export function observedJobs(run: RunJob, metrics: NodeMetrics, tracer: Tracer): RunJob {
  return async (did, job) => {
    const stop = metrics.jobs.startTimer({ kind: job.kind });
    try {
      await traced(tracer, `outbox ${job.kind}`, {}, () => run(did, job));
      stop({ outcome: 'done' });
    } catch (error) {
      const isParked = error instanceof PdsError && !error.isTransient;
      stop({ outcome: isParked ? 'parked' : 'retried' });
      throw error;
    }
  };
}

/** Follows requests to PDSes, by method. */
export function observedSessions(find: FindPdsSession, tracer: Tracer): FindPdsSession {
  if (tracer === noTracer) return find;
  return async (did) => {
    const session = await find(did);
    return {
      fetchHandler: (path, init) =>
        traced(tracer, 'pds request', { 'rpc.method': methodOf(path) }, () =>
          session.fetchHandler(path, init),
        ),
    };
  };
}

function methodOf(path: string): string {
  return path.replace(/\?.*$/, '').replace(/^\/xrpc\//, '');
}

/** Counts uses of tokens. */
export function observedReplay(store: ReplayStore, metrics: NodeMetrics): ReplayStore {
  return {
    async claim(id, expiresAt) {
      try {
        const isFirst = await store.claim(id, expiresAt);
        metrics.tokenUses.inc({ outcome: isFirst ? 'first' : 'repeated' });
        return isFirst;
      } catch (error) {
        metrics.tokenUses.inc({ outcome: 'failed' });
        throw error;
      }
    },
  };
}

/** Follows transactions on people's repos. */
export function observedActors(actors: ActorStorage, tracer: Tracer): ActorStorage {
  if (tracer === noTracer) return actors;
  return replacing(actors, {
    read: (did, read) => traced(tracer, 'actor read', {}, () => actors.read(did, read)),
    write: (did, write) => traced(tracer, 'actor write', {}, () => actors.write(did, write)),
  });
}

/** Follows transactions on the service database. */
export function observedService(service: ServiceStorage, tracer: Tracer): ServiceStorage {
  if (tracer === noTracer) return service;
  return replacing(service, {
    transact: (task) => traced(tracer, 'service transaction', {}, () => service.transact(task)),
  });
}

/** An object with some of its methods replaced; all others run on the object itself. */
function replacing<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_target, property) {
      const replaced: unknown = Reflect.get(methods, property);
      if (replaced !== undefined) return replaced;
      const own: unknown = Reflect.get(target, property);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
