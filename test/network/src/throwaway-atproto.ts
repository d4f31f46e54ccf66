import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PDS } from '@atproto/pds';
import { Database, PlcServer } from '@did-plc/server';
import type { Did } from '@stratos/protocol';
import { freePorts } from './ports.ts';

/** A PLC directory that forgets and a real PDS, both in this process. */
export interface ThrowawayAtproto extends AsyncDisposable {
  readonly plcUrl: string;
  readonly pdsUrl: string;
  /** Position of the newest event of the firehose. */
  newestEvent(): Promise<number>;
  /** How many apps have tokens of an account by OAuth. */
  appsOf(did: Did): Promise<number>;
}

export async function startThrowawayAtproto(): Promise<ThrowawayAtproto> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-pds-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const ports = await freePorts();
  const directory = PlcServer.create({ db: Database.mock(), port: ports.plc });
  await directory.start();
  opened.defer(() => directory.destroy());
  const plcUrl = `http://localhost:${ports.plc}`;
  const dataDirectory = join(folder, 'pds');
  await mkdir(dataDirectory);
  const pds = await PDS.fromEnv({
    port: ports.pds,
    hostname: 'localhost',
    serviceDid: `did:web:localhost%3A${ports.pds}`,
    serviceHandleDomains: ['.test'],
    dataDirectory,
    blobstoreDiskLocation: join(dataDirectory, 'blobs'),
    didPlcUrl: plcUrl,
    devMode: true,
    disableSsrfProtection: true,
    inviteRequired: false,
    jwtSecret: randomBytes(16).toString('hex'),
    dpopSecret: randomBytes(32).toString('hex'),
    adminPassword: randomBytes(16).toString('hex'),
    plcRotationKeyK256PrivateKeyHex: randomBytes(32).toString('hex'),
  });
  await pds.start();
  opened.defer(() => pds.destroy());
  const owned = opened.move();
  return {
    plcUrl,
    pdsUrl: `http://localhost:${ports.pds}`,
    newestEvent: async () => (await pds.ctx.sequencer.curr()) ?? 0,
    appsOf: async (did) => {
      const tokens = await pds.ctx.oauthProvider?.tokenManager.listAccountTokens(did);
      return tokens?.length ?? 0;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
