import {
  type Did,
  type DidKey,
  ProofError,
  SigningKey,
  signKeyHandover,
  verifyMembershipEntry,
} from '@stratos/protocol';
import { ConfigError } from '@stratos/protocol/environment';
import type { Logger } from '../logger.ts';
import type { ServiceStorage, ServiceStores } from '../storage/service-storage.ts';
import type { NodeKeyFile } from './node-key-file.ts';
import type { Vault } from './vault.ts';

/** How long other processes of the node may sign with a key after its end, memberships excepted. */
const RELOAD_EVERY_MS = 5_000;
const PURPOSE = 'key of the node';

export interface NodeKeysOptions {
  did: Did;
  service: ServiceStorage;
  vault: Vault;
  file: NodeKeyFile;
  /** The operator's own key in hex, instead of the file. */
  signingKeyHex: string | undefined;
  logger: Logger;
}

/** A key that cannot be given up here. */
export class RotationError extends Error {
  override name = 'RotationError';
}

/** The node's key of now, also when this or another process of the node changes it. */
export class NodeKeys implements Disposable {
  readonly #options: NodeKeysOptions;
  readonly #timer: NodeJS.Timeout;
  #current: SigningKey;
  #rotated: Promise<unknown> = Promise.resolve();

  private constructor(options: NodeKeysOptions, current: SigningKey) {
    this.#options = options;
    this.#current = current;
    this.#timer = setInterval(() => void this.#follow(), RELOAD_EVERY_MS).unref();
  }

  /**
   * Finds the private key that the history of the node ends in; a new node begins its history.
   *
   * @throws ConfigError if there is no such key, or another one is configured
   */
  static async open(options: NodeKeysOptions): Promise<NodeKeys> {
    const { service, signingKeyHex } = options;
    const configured =
      signingKeyHex === undefined
        ? undefined
        : SigningKey.import('secp256k1', Buffer.from(signingKeyHex, 'hex'));
    const known = (await service.nodeKeys.current()) ?? (await begin(options, configured));
    const history = await service.nodeKeys.history();
    if (configured && !history.some(({ key }) => key === configured.did())) {
      throw new ConfigError('STRATOS_SIGNING_KEY_HEX is not a key that this node has signed with');
    }
    return new NodeKeys(options, await privateKeyOf(options, known, configured));
  }

  get current(): SigningKey {
    return this.#current;
  }

  /** The key that may sign the next entry of the membership log, until the transaction ends. */
  async within(stores: Pick<ServiceStores, 'nodeKeys'>): Promise<SigningKey> {
    if (await stores.nodeKeys.hold(this.#current.did())) return this.#current;
    await this.#reload(stores);
    if (await stores.nodeKeys.hold(this.#current.did())) return this.#current;
    throw new RotationError('the key of the node is being changed');
  }

  /**
   * Ends the key of now and begins another, which it vouches for. The private key of before is
   * destroyed: nothing is ever signed with it again.
   *
   * @throws {@link RotationError} where the new key could not be kept
   */
  rotate(): Promise<SigningKey> {
    // @NOTE one after the other, since there is one place for the next key
    const rotated = this.#rotated.catch(() => undefined).then(() => this.#rotate());
    this.#rotated = rotated;
    return rotated;
  }

  async #rotate(): Promise<SigningKey> {
    const { did, service, vault, file, signingKeyHex } = this.#options;
    const next = SigningKey.generate('secp256k1');
    const isKeptInFile =
      signingKeyHex === undefined &&
      (await service.nodeKeys.sealed(this.#current.did())) === undefined;
    if (!isKeptInFile && !vault.isEncrypting) {
      throw new RotationError(
        'a key that came by STRATOS_SIGNING_KEY_HEX can be changed only with STRATOS_KEY_ENCRYPTION_KEY, under which the database keeps the next',
      );
    }
    if (isKeptInFile) await file.prepareNext(next);
    const sealed = isKeptInFile ? undefined : vault.seal(next.export(), PURPOSE);
    await service.transact(async (stores) => {
      const previous = await this.within(stores);
      const head = await stores.memberships.head();
      const history = await stores.nodeKeys.history();
      const validFrom = notBefore(history.at(-1)?.validFrom);
      const handover = { did, key: next.did(), validFrom, membershipSeq: (head?.seq ?? 0) + 1 };
      const sig = await signKeyHandover(handover, previous);
      const { key, membershipSeq } = handover;
      await stores.nodeKeys.end(previous.did(), validFrom.toISOString());
      const row = { key, membershipSeq, validFrom: validFrom.toISOString(), sig };
      await stores.nodeKeys.begin(row, sealed);
    });
    this.#current = next;
    if (isKeptInFile) await file.useNext();
    return next;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #follow(): Promise<void> {
    try {
      await this.#reload(this.#options.service);
    } catch (err) {
      this.#options.logger.error({ err }, 'the key of the node was changed and cannot be found');
    }
  }

  async #reload(stores: Pick<ServiceStores, 'nodeKeys'>): Promise<void> {
    const wanted = await stores.nodeKeys.current();
    if (wanted === undefined || wanted === this.#current.did()) return;
    this.#current = await privateKeyOf({ ...this.#options, service: stores }, wanted, undefined);
    this.#options.logger.info({ key: wanted }, 'the node has another key');
  }
}

/** Begins the history of a node with its first key. */
async function begin(
  { did, service, file }: NodeKeysOptions,
  configured: SigningKey | undefined,
): Promise<DidKey> {
  const first = configured ?? (await file.loadOrCreate());
  const [entry] = await service.memberships.after(0, 1);
  if (entry && !(await isSignedBy(entry.entry, did, first.did()))) {
    throw new ConfigError(`the log of memberships is signed by another key than ${first.did()}`);
  }
  const validFrom = new Date().toISOString();
  await service.nodeKeys.begin({ key: first.did(), validFrom, membershipSeq: 1 });
  // @NOTE another process may have been first
  return (await service.nodeKeys.current()) ?? first.did();
}

/** Whether a key signed the first entry of the log; a log may be older than the history of keys. */
async function isSignedBy(bytes: Uint8Array, service: Did, key: DidKey): Promise<boolean> {
  try {
    await verifyMembershipEntry(bytes, { service, keys: [key], previous: undefined });
    return true;
  } catch (error) {
    if (error instanceof ProofError) return error.reason !== 'bad-signature';
    throw error;
  }
}

async function privateKeyOf(
  options: Pick<NodeKeysOptions, 'vault' | 'file'> & { service: Pick<ServiceStores, 'nodeKeys'> },
  wanted: DidKey,
  configured: SigningKey | undefined,
): Promise<SigningKey> {
  const { service, vault, file } = options;
  if (configured?.did() === wanted) return configured;
  const sealed = await service.nodeKeys.sealed(wanted);
  const found = sealed
    ? SigningKey.import('secp256k1', vault.open(sealed, PURPOSE))
    : await file.load(wanted);
  if (found) return found;
  throw new ConfigError(`the private key of ${wanted}, by which this node signs, is not here`);
}

/** Now, unless the clock went back. */
function notBefore(previous: string | undefined): Date {
  return new Date(Math.max(Date.now(), previous === undefined ? 0 : Date.parse(previous)));
}
