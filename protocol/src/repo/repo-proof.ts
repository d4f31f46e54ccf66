import { ProofError } from '../errors.ts';
import { FrameBlocks } from '../frame-blocks.ts';
import type { Cid } from '../identifiers.ts';
import { MalformedNodeError, MissingNodeError, pathTo, textOf } from '../tree/index.ts';
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
    try {
      const found = await pathTo(this.#blocks, this.repo.data, key);
      return found && textOf(found.value);
    } catch (cause) {
      const isGap = cause instanceof MissingNodeError || cause instanceof MalformedNodeError;
      if (!isGap) throw cause;
      throw new ProofError('not-included', 'the tree cannot be followed', { cause });
    }
  }
}
