import { parseCid } from '@atproto/lex-data';
import { ProofError } from '../errors.ts';
import { FrameBlocks } from '../frame-blocks.ts';
import type { Cid } from '../identifiers.ts';
import { MalformedNodeError, MissingNodeError, pathTo, textOf } from '../tree/index.ts';
import { ProofCar } from './proof-car.ts';
import { type OpenRepoOptions, openRepo, type SignedRepo } from './verify-repo.ts';

/** What a CAR of a commit and nodes of its tree shows of a person's repo. */
export class RepoProof {
  readonly repo: SignedRepo;
  readonly #blocks: FrameBlocks;

  private constructor(repo: SignedRepo, blocks: FrameBlocks) {
    this.repo = repo;
    this.#blocks = blocks;
  }

  /**
   * Proves the commit to be the person's.
   *
   * @throws {@link ProofError}
   */
  static async read(car: Uint8Array, options: OpenRepoOptions): Promise<RepoProof> {
    const blocks = await FrameBlocks.read(car, Number.POSITIVE_INFINITY);
    return new RepoProof(await openRepo(blocks, blocks.root, options), blocks);
  }

  /**
   * The CID that the repo has under a key (`{collection}/{rkey}`).
   *
   * @returns undefined when it has none
   * @throws {@link ProofError} `not-included` when the CAR does not show it
   */
  async cidAt(key: string): Promise<Cid | undefined> {
    const found = await this.#follow(key);
    return found && textOf(found.value);
  }

  /**
   * A CAR of the commit and the nodes on the way to a key, from the root on, and of nothing else.
   *
   * @throws {@link ProofError} `not-included` when the CAR does not show that the repo has the key
   */
  async carOf(key: string): Promise<Uint8Array> {
    const found = await this.#follow(key);
    if (!found) throw new ProofError('not-included', 'the repo has no such key');
    const { commit, block } = this.repo;
    const car = new ProofCar(commit);
    car.add(parseCid(commit).bytes, block);
    for (const node of found.nodes) car.add(...node);
    return car.bytes();
  }

  async #follow(key: string) {
    try {
      return await pathTo(this.#blocks, this.repo.data, key);
    } catch (cause) {
      const isGap = cause instanceof MissingNodeError || cause instanceof MalformedNodeError;
      if (!isGap) throw cause;
      throw new ProofError('not-included', 'the tree cannot be followed', { cause });
    }
  }
}
