import type { LyingNode } from '@stratos/indexer/testing';
import type { Random } from '../random.ts';
import type { Tally } from './tally.ts';

const CHANCE = 0.15;
export const MISHAPS = ['cut', 'twice', 'again'] as const;

/** What the way between a node and the indexer does to frames, until it is calm. */
export class Mishaps {
  /** Said once, before the next frame. */
  readonly lies: Uint8Array[] = [];
  #isCalm = false;
  readonly #sent: Uint8Array[] = [];
  readonly #random: Random;
  readonly #tally: Tally;

  constructor(node: LyingNode, random: Random, tally: Tally) {
    this.#random = random;
    this.#tally = tally;
    node.onFrame = (frame) => this.#pass(frame);
  }

  calm(): void {
    this.#isCalm = true;
    this.lies.length = 0;
  }

  #pass(frame: Uint8Array): readonly Uint8Array[] | undefined {
    this.#sent.push(frame);
    if (this.#isCalm) return [frame];
    const lie = this.lies.shift();
    if (lie) return [lie, frame];
    if (!this.#random.chance(CHANCE)) return [frame];
    const kind = this.#random.oneOf(MISHAPS);
    this.#tally.add(`frame: ${kind}`);
    if (kind === 'cut') return undefined;
    return [frame, kind === 'twice' ? frame : this.#random.oneOf(this.#sent)];
  }
}
