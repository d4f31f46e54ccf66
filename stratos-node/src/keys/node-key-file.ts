import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DidKey, SigningKey } from '@stratos/protocol';
import { ConfigError } from '@stratos/protocol/environment';
import type { Vault } from './vault.ts';

const PURPOSE = 'key of the node';
const SEALED = 'sealed:';
/** How long another process may take between making the file and writing it. */
const WRITTEN_WITHIN_MS = 2_000;

/** The file of the node's private key; the next key lies beside it until it is in use. */
export class NodeKeyFile {
  readonly #path: string;
  readonly #vault: Vault;

  constructor(path: string, vault: Vault) {
    this.#path = path;
    this.#vault = vault;
  }

  /** The key of the file, made with mode 600 if there is none. */
  async loadOrCreate(): Promise<SigningKey> {
    const made = SigningKey.generate('secp256k1');
    try {
      await this.#write(this.#path, made, 'wx');
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    return this.#sealed(await this.#read(this.#path));
  }

  /** The private key of `wanted`, if it is the one of the file or the next. */
  async load(wanted: DidKey): Promise<SigningKey | undefined> {
    const current = await this.#read(this.#path);
    if (current?.key.did() === wanted) return this.#sealed(current);
    const next = await this.#read(this.#nextPath);
    if (next?.key.did() !== wanted) return undefined;
    await this.useNext();
    return next.key;
  }

  /** Keeps the next key, on disk before it is promised to anybody. */
  async prepareNext(key: SigningKey): Promise<void> {
    await rm(this.#nextPath, { force: true });
    await this.#write(this.#nextPath, key, 'wx');
  }

  /** Puts the next key into the place of the one before, which is gone then. */
  async useNext(): Promise<void> {
    try {
      await rename(this.#nextPath, this.#path);
    } catch (error) {
      // @NOTE another process may have done it a moment ago
      if (!isCode(error, 'ENOENT')) throw error;
    }
    await syncFolder(dirname(this.#path));
  }

  get #nextPath(): string {
    return `${this.#path}.next`;
  }

  async #sealed(stored: Stored | undefined): Promise<SigningKey> {
    if (!stored) throw new ConfigError(`${this.#path} does not hold the hex of a 32-byte key`);
    if (this.#vault.isEncrypting && !stored.isSealed) {
      await this.prepareNext(stored.key);
      await this.useNext();
    }
    return stored.key;
  }

  async #write(path: string, key: SigningKey, flags: 'wx'): Promise<void> {
    await using file = await open(path, flags, 0o600);
    const raw = key.export();
    const text = this.#vault.isEncrypting
      ? SEALED + Buffer.from(this.#vault.seal(raw, PURPOSE)).toString('base64url')
      : Buffer.from(raw).toString('hex');
    await file.writeFile(`${text}\n`);
    await file.sync();
  }

  async #read(path: string): Promise<Stored | undefined> {
    const deadline = Date.now() + WRITTEN_WITHIN_MS;
    for (;;) {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (isCode(error, 'ENOENT')) return undefined;
        throw error;
      });
      const stored = text && this.#parse(text.trim());
      if (stored || text === undefined) return stored || undefined;
      if (text !== '' || Date.now() > deadline) return undefined;
      await sleep(20);
    }
  }

  #parse(text: string): Stored | undefined {
    const isSealed = text.startsWith(SEALED);
    if (!isSealed && !/^[0-9a-f]{64}$/i.test(text)) return undefined;
    const raw = isSealed
      ? this.#vault.open(Buffer.from(text.slice(SEALED.length), 'base64url'), PURPOSE)
      : Buffer.from(text, 'hex');
    return { key: SigningKey.import('secp256k1', raw), isSealed };
  }
}

interface Stored {
  key: SigningKey;
  isSealed: boolean;
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
