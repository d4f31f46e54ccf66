import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The folder of the project. */
export const PROJECT = resolve(import.meta.dirname, '../../..');

/** Where `npm start` keeps its data. */
export const DEFAULT_DATA_FOLDER = join(PROJECT, 'data/local');

const PRIVATE_FOLDERS = ['appview', 'env', 'logs', 'nodes', 'pds', 'run'];

/** What only this network knows; made once for each data folder. */
export interface Secrets {
  readonly gatewayDatabasePassword: string;
  readonly nodeAdminPassword: string;
  readonly pdsAdminPassword: string;
  readonly pdsJwtSecret: string;
  readonly pdsDpopSecret: string;
  readonly pdsRotationKey: string;
}

/** The folder where one local network keeps everything; the layout is the getters. */
export class DataFolder {
  readonly path: string;
  readonly secrets: Secrets;
  /** False when it is removed at the end. */
  readonly kept: boolean;

  constructor(path: string, secrets: Secrets, kept: boolean) {
    this.path = path;
    this.secrets = secrets;
    this.kept = kept;
  }

  get postgres(): string {
    return join(this.path, 'postgres');
  }

  get pds(): string {
    return join(this.path, 'pds');
  }

  get appViewKey(): string {
    return join(this.path, 'appview/signing.key');
  }

  get demo(): string {
    return join(this.path, 'demo.json');
  }

  node(name: string): string {
    return join(this.path, 'nodes', name);
  }

  log(service: string): string {
    return join(this.path, 'logs', `${service}.log`);
  }

  env(service: string): string {
    return join(this.path, 'env', `${service}.env`);
  }

  pid(service: string): string {
    return join(this.path, 'run', `${service}.pid`);
  }

  /** Removes what networks put here, and nothing else, but for the mark of who owns the folder. */
  async clear(): Promise<void> {
    const folders = PRIVATE_FOLDERS.filter((name) => name !== 'run');
    const entries = [...folders, 'postgres', 'demo.json', 'secrets.json'];
    await Promise.all(entries.map((name) => removeAll(join(this.path, name))));
  }

  async remove(): Promise<void> {
    await removeAll(this.path);
  }
}

/** Makes the folder, or finds it as an earlier start left it. */
export async function openDataFolder(path: string, kept = true): Promise<DataFolder> {
  await mkdir(path, { recursive: true });
  // Postgres refuses to run as root; its own user has to pass through this folder to its data.
  await chmod(path, 0o711);
  for (const name of PRIVATE_FOLDERS)
    await mkdir(join(path, name), { recursive: true, mode: 0o700 });
  return new DataFolder(path, await loadOrCreateSecrets(join(path, 'secrets.json')), kept);
}

/** A new, empty folder outside of the project. */
export async function temporaryDataPath(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'stratos-network-'));
}

async function removeAll(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** Those that an older version did not know are added. */
async function loadOrCreateSecrets(path: string): Promise<Secrets> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '{}';
  });
  const found: Partial<Secrets> = JSON.parse(text);
  const secrets: Secrets = {
    gatewayDatabasePassword: randomHex(16),
    nodeAdminPassword: randomHex(16),
    pdsAdminPassword: randomHex(16),
    pdsJwtSecret: randomHex(32),
    pdsDpopSecret: randomHex(32),
    pdsRotationKey: randomHex(32),
    ...found,
  };
  const whole = `${JSON.stringify(secrets, null, 2)}\n`;
  if (whole === text) return secrets;
  await writeFile(`${path}.new`, whole, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return secrets;
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
