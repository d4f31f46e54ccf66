import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { qualifyBoundary, toDid } from '@stratos/protocol';
import { Child } from '../child.ts';
import type { People, Person } from '../people.ts';

export const NODE_DID = toDid('did:web:localhost%3A3100');
export const PUBLIC_URL = 'http://localhost:3100';
export const BOUNDARY = qualifyBoundary(NODE_DID, 'bench');

/**
 * As the service should be run: what lives long is little, and without these the space for what does
 * not takes two hundred megabytes.
 */
const HEAP_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=25'];

export interface MeasuredNodeOptions {
  people: People;
  /** Who is enrolled. */
  actors: readonly Person[];
  appView: Person;
  /** Flags of the process, as for a profile. */
  flags: readonly string[];
}

/** Starts a node in a process and a data folder of its own. */
export async function startMeasuredNode(options: MeasuredNodeOptions): Promise<Child> {
  const { people, actors, appView, flags } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
  return Child.start(new URL('./node-process.ts', import.meta.url), {
    flags: [...HEAP_FLAGS, ...flags],
    args: actors.map(({ did }) => did),
    onEnd: () => rm(dataDir, { recursive: true }),
    env: {
      LOG_LEVEL: 'error',
      STRATOS_SERVICE_DID: NODE_DID,
      STRATOS_PUBLIC_URL: PUBLIC_URL,
      STRATOS_PORT: '0',
      STRATOS_DATA_DIR: dataDir,
      STRATOS_ALLOWED_DOMAINS: 'bench',
      STRATOS_ALLOWED_APPVIEWS: appView.did,
      STRATOS_DEV_MODE: 'true',
      STRATOS_PLC_URL: people.directory.origin,
      // The limit is kept, with a window short enough for what we ask.
      STRATOS_WRITE_RATE_MAX_WRITES: '100000',
      STRATOS_WRITE_RATE_WINDOW_MS: '1000',
    },
  });
}
