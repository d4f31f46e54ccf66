import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateSigningKey, Sessions, toDid } from '@stratos/protocol';
import { Child } from '../child.ts';
import { GatewaySessions } from './gateway-sessions.ts';

export const PUBLIC_URL = 'http://localhost:4000';
const APPVIEW_DID = toDid('did:web:localhost%3A4000');
/** As the service should be run: what lives long is little, what a request leaves is much. */
const HEAP_FLAGS = ['--max-semi-space-size=32'];

export interface MeasuredGatewayOptions {
  /** For the role of the gateway. */
  databaseUrl: string;
  /** Whether each request comes with a proof of its own. */
  bound: boolean;
  /** Leaves profiles of the gateway in this folder. */
  profile?: string | undefined;
}

export interface MeasuredGateway extends AsyncDisposable {
  readonly process: Child;
  readonly sessions: GatewaySessions;
}

/** Starts a gateway in a process of its own. */
export async function startMeasuredGateway(
  options: MeasuredGatewayOptions,
): Promise<MeasuredGateway> {
  const { databaseUrl, bound, profile } = options;
  const folder = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
  const sessionKeyFile = join(folder, 'session.key');
  const key = await loadOrCreateSigningKey(sessionKeyFile, 'P-256');
  const process = await Child.start(new URL('./gateway-process.ts', import.meta.url), {
    flags: [...HEAP_FLAGS, ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [])],
    onEnd: () => rm(folder, { recursive: true }),
    env: {
      LOG_LEVEL: 'error',
      DATABASE_URL: databaseUrl,
      GATEWAY_PORT: '0',
      GATEWAY_PUBLIC_URL: PUBLIC_URL,
      GATEWAY_SESSION_KEY_FILE: sessionKeyFile,
      // It is counted what each viewer asks, with a limit that four viewers do not reach.
      GATEWAY_VIEWER_COST_PER_MINUTE: String(Number.MAX_SAFE_INTEGER),
      APPVIEW_DID,
      APPVIEW_KEY_FILE: join(folder, 'appview.key'),
      STRATOS_PLC_URL: 'http://localhost:1',
      STRATOS_DEV_MODE: 'true',
    },
  });
  const sessions = new GatewaySessions(new Sessions(key, APPVIEW_DID), {
    base: process.url,
    bound,
  });
  return { process, sessions, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}
