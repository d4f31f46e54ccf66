import {
  BlockMap,
  blocksToCarFile,
  getFullRepo,
  MemoryBlockstore,
  type RecordWriteOp,
  Repo,
  readCarWithRoot,
  WriteOpAction,
} from '@atproto/repo';
import { type Boundary, type Did, SigningKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';

type CommitFrame = zone.stratos.sync.subscribeService.Commit;
/** A commit event without its place in the stream. */
export type UnplacedCommit = Omit<CommitFrame, 'seq'>;
export type Write = RecordWriteOp;

const COLLECTION = zone.stratos.feed.post.$nsid;

/** A person whose repo really is signed, at a node that may lie about all else. */
export class Author {
  readonly did: Did;
  readonly key: SigningKey;
  #repo: Repo;
  readonly #storage: MemoryBlockstore;

  private constructor(did: Did, key: SigningKey, repo: Repo, storage: MemoryBlockstore) {
    this.did = did;
    this.key = key;
    this.#repo = repo;
    this.#storage = storage;
  }

  /** @param rev - of the first commit, when it is not to be of now */
  static async create(did: Did, rev?: string, key = SigningKey.generate('P-256')): Promise<Author> {
    const storage = new MemoryBlockstore();
    const first = await Repo.formatInitCommit(storage, did, key, [], rev);
    return new Author(did, key, await Repo.createFromCommit(storage, first), storage);
  }

  /** The same repo once more, which goes its own way from here. */
  async fork(): Promise<Author> {
    const storage = new MemoryBlockstore(this.#storage.blocks);
    const repo = await Repo.load(storage, this.#repo.cid);
    return new Author(this.did, this.key, repo, storage);
  }

  uri(rkey: string): string {
    return `at://${this.did}/${COLLECTION}/${rkey}`;
  }

  /** The commit that makes the repo, with nothing in it. */
  async genesis(): Promise<UnplacedCommit> {
    const { cid, commit } = this.#repo;
    const found = await this.#repo.storage.getBlocks([cid, commit.data]);
    return {
      did: this.did,
      time: now(),
      rev: commit.rev as CommitFrame['rev'],
      commit: cid,
      blocks: await blocksToCarFile(cid, found.blocks),
      ops: [],
    };
  }

  /** Signs and applies writes, with another key when the node is to lie. */
  async commit(writes: Write[], key: SigningKey = this.key): Promise<UnplacedCommit> {
    const before = this.#repo;
    const ops = await Promise.all(
      writes.map(async ({ action, collection, rkey }) => {
        const path = `${collection}/${rkey}`;
        return { action, path, prev: await before.data.get(path) };
      }),
    );
    const data = await before.formatCommit(writes, key);
    this.#repo = await before.applyCommit(data);
    const after = this.#repo.data;
    return {
      did: this.did,
      time: now(),
      rev: data.rev as CommitFrame['rev'],
      since: before.commit.rev as CommitFrame['rev'],
      prevData: before.commit.data,
      commit: data.cid,
      blocks: await blocksToCarFile(data.cid, data.relevantBlocks),
      ops: await Promise.all(
        ops.map(async ({ action, path, prev }) => {
          const cid = await after.get(path);
          return { action, path, ...(cid && { cid }), ...(prev && { prev }) };
        }),
      ),
    };
  }

  /** The whole repo as a node sends it, without those blocks that a lie leaves out. */
  async car(lie: { without?: (block: Uint8Array) => boolean } = {}): Promise<Uint8Array> {
    const car = await collect(getFullRepo(this.#repo.storage, this.#repo.cid));
    if (!lie.without) return car;
    const { root, blocks } = await readCarWithRoot(car);
    const kept = blocks.entries().filter(({ bytes }) => !lie.without?.(bytes));
    return blocksToCarFile(root, new BlockMap(kept.map(({ cid, bytes }) => [cid, bytes])));
  }

  async post(rkey: string, boundaries: string[], text = 'hello'): Promise<UnplacedCommit> {
    return this.commit([create(rkey, boundaries, text)]);
  }
}

export function create(rkey: string, boundaries: string[], text = 'hello'): Write {
  return {
    action: WriteOpAction.Create,
    collection: COLLECTION,
    rkey,
    record: postRecord(boundaries, text),
  } as Write;
}

export function update(rkey: string, boundaries: string[], text = 'changed'): Write {
  return {
    action: WriteOpAction.Update,
    collection: COLLECTION,
    rkey,
    record: postRecord(boundaries, text),
  } as Write;
}

export function remove(rkey: string): Write {
  return { action: WriteOpAction.Delete, collection: COLLECTION, rkey } as Write;
}

export function postRecord(boundaries: readonly (Boundary | string)[], text: string) {
  return {
    $type: COLLECTION,
    text,
    boundary: {
      $type: zone.stratos.boundary.defs.Domains.$type,
      values: boundaries.map((value) => ({ value })),
    },
    createdAt: now(),
  };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await Array.fromAsync(chunks)));
}

function now() {
  return new Date().toISOString() as CommitFrame['time'];
}
