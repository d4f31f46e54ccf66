import { DpopNonces, DpopVerifier, MemoryReplayStore, Sessions } from '@stratos/protocol';
import type { NodeConfig } from '../config.ts';
import type { NodeContext } from '../context.ts';
import { NodeSecrets } from '../keys/node-secrets.ts';
import { AddressLimit } from '../limits/address-limit.ts';
import { createClientAddress } from '../limits/client-address.ts';
import { WriteRateLimit } from '../repo/write-rate-limit.ts';
import { Tickets } from '../stream/tickets.ts';
import { observedReplay } from '../telemetry/observed.ts';
import type { SharedMemory } from '../valkey/shared-memory.ts';
import { createAuthenticator } from './authenticator.ts';
import { OperatorGate } from './operator-gate.ts';

export interface CallersOptions
  extends Pick<NodeContext, 'config' | 'identity' | 'logger' | 'metrics' | 'nodeKeys' | 'service'> {
  /** What the processes of the node remember together; undefined where each remembers alone. */
  shared: SharedMemory | undefined;
}

/** What decides who a caller is, and how much they may ask for. */
export type Callers = Pick<
  NodeContext,
  'authenticator' | 'operatorGate' | 'tickets' | 'clientAddress' | 'addressLimit' | 'writeRate'
>;

/** Recognises callers by what this process, the database and the shared memory remember. */
export function recogniseCallers(options: CallersOptions): Callers {
  const { config, identity, logger, metrics, nodeKeys, service, shared } = options;
  const replayStore = shared?.replay ?? service.replay;
  const clientAddress = createClientAddress(config.trustedProxies, (proxy) => {
    const all = 'all callers count as one address: a proxy is not named in STRATOS_TRUSTED_PROXIES';
    logger.warn({ proxy }, all);
  });
  const addressLimit = new AddressLimit(config.ipRate, shared?.rates);
  const isReplayMemoryOurs = isAloneWithNonces(config);
  const secrets = new NodeSecrets(() => nodeKeys.current, { isReplayMemoryOurs });
  const nonces = new DpopNonces(() => secrets.nonce);
  const usedProofs = isReplayMemoryOurs ? new MemoryReplayStore() : replayStore;
  return {
    clientAddress,
    addressLimit,
    writeRate: shared?.writes ?? new WriteRateLimit(config.writeRate),
    tickets: new Tickets({ nodeKeys, replayStore }),
    authenticator: createAuthenticator({
      ...config,
      identity,
      replayStore: observedReplay(replayStore, metrics),
      sessions: new Sessions(() => secrets.session, config.serviceDid),
      dpop: new DpopVerifier({
        nonces,
        replayStore: observedReplay(usedProofs, metrics),
        requireNonce: config.dpopRequireNonce,
      }),
      nonces,
      clientAddress,
      addressLimit,
    }),
    operatorGate: new OperatorGate({
      password: config.adminPassword,
      audit: service.audit,
      clientAddress,
      ...(shared && { counter: shared.rates }),
    }),
  };
}

/** With one process and nonces of its own, no used proof needs to be remembered on disk. */
function isAloneWithNonces({ storage, dpopRequireNonce }: NodeConfig): boolean {
  return storage.backend === 'sqlite' && dpopRequireNonce;
}
