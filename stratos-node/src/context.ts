import type { IdentityResolver, SigningKey } from '@stratos/protocol';
import type { Authenticator } from './auth/authenticator.ts';
import type { OperatorGate } from './auth/operator-gate.ts';
import type { NodeConfig } from './config.ts';
import type { AllowList } from './enrollment/allow-list.ts';
import type { ActorKeys } from './keys/actor-keys.ts';
import type { Logger } from './logger.ts';
import type { OutboxWorker } from './outbox/outbox-worker.ts';
import type { RecordLexicons } from './records/record-lexicons.ts';
import type { ActorLocks } from './repo/actor-locks.ts';
import type { WriteRateLimit } from './repo/write-rate-limit.ts';
import type { ActorStorage } from './storage/actor-storage.ts';
import type { ServiceStorage } from './storage/service-storage.ts';
import type { Publisher } from './stream/publisher.ts';
import type { StreamSignal } from './stream/stream-signal.ts';

/** What the parts of a running node share. */
export interface NodeContext {
  readonly config: NodeConfig;
  readonly logger: Logger;
  readonly identity: IdentityResolver;
  /** The node's secp256k1 key. */
  readonly nodeKey: SigningKey;
  readonly actorKeys: ActorKeys;
  readonly actors: ActorStorage;
  readonly service: ServiceStorage;
  readonly locks: ActorLocks;
  readonly publisher: Publisher;
  readonly signal: StreamSignal;
  readonly outbox: OutboxWorker;
  readonly writeRate: WriteRateLimit;
  readonly recordLexicons: RecordLexicons;
  readonly authenticator: Authenticator;
  readonly operatorGate: OperatorGate;
  readonly allowList: AllowList;
  /** Aborted when the node begins to stop. */
  readonly stopping: AbortSignal;
}
