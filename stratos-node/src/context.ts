import type { IdentityResolver, SigningKey } from '@stratos/protocol';
import type { Tracer } from '@stratos/protocol/telemetry';
import type { Authenticator } from './auth/authenticator.ts';
import type { OperatorGate } from './auth/operator-gate.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import type { BlobSweep } from './blobs/blob-sweep.ts';
import type { NodeConfig } from './config.ts';
import type { AllowList } from './enrollment/allow-list.ts';
import type { ActorKeys } from './keys/actor-keys.ts';
import type { NodeKeys } from './keys/node-keys.ts';
import type { AddressLimit } from './limits/address-limit.ts';
import type { ClientAddress } from './limits/client-address.ts';
import type { Logger } from './logger.ts';
import type { OutboxWorker } from './outbox/outbox-worker.ts';
import type { RecordLexicons } from './records/record-lexicons.ts';
import type { ActorLocks } from './repo/actor-locks.ts';
import type { WriteLimit } from './repo/write-rate-limit.ts';
import type { ActorStorage } from './storage/actor-storage.ts';
import type { ServiceStorage } from './storage/service-storage.ts';
import type { ActorSignals } from './stream/actor-signals.ts';
import type { OpenStreams } from './stream/open-streams.ts';
import type { Publisher } from './stream/publisher.ts';
import type { StreamSignal } from './stream/stream-signal.ts';
import type { Tickets } from './stream/tickets.ts';
import type { NodeMetrics } from './telemetry/metrics.ts';

/** What the parts of a running node share. */
export interface NodeContext {
  readonly config: NodeConfig;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
  readonly tracer: Tracer;
  readonly identity: IdentityResolver;
  /** The node's secp256k1 key of now. */
  readonly nodeKey: SigningKey;
  readonly nodeKeys: NodeKeys;
  readonly actorKeys: ActorKeys;
  readonly actors: ActorStorage;
  readonly service: ServiceStorage;
  readonly blobs: BlobStore;
  readonly blobSweep: BlobSweep;
  readonly locks: ActorLocks;
  readonly publisher: Publisher;
  readonly signal: StreamSignal;
  readonly actorSignals: ActorSignals;
  readonly openStreams: OpenStreams;
  readonly tickets: Tickets;
  readonly outbox: OutboxWorker;
  readonly writeRate: WriteLimit;
  readonly recordLexicons: RecordLexicons;
  readonly authenticator: Authenticator;
  readonly operatorGate: OperatorGate;
  readonly clientAddress: ClientAddress;
  readonly addressLimit: AddressLimit;
  readonly allowList: AllowList;
  /** Aborted when the node begins to stop. */
  readonly stopping: AbortSignal;
}
