import { Frame } from '@atproto/xrpc-server';
import type { LyingNode } from '@stratos/indexer/testing';
import type { Random } from '../random.ts';
import type { Tally } from './tally.ts';

const CHANCE = 0.2;
const HARMLESS = ['cut', 'twice', 'again', 'held'] as const;
/**
 * A connection neither loses a frame nor swaps two, so it is the node that lies by that. Positions have
 * gaps where a repo was erased, and do not show it; the next commit of the repo does.
 */
const LOSSY = ['left out', 'swapped'] as const;
export const MISHAPS = [...HARMLESS, ...LOSSY] as const;

/** What the way between a node and the indexer does to frames, until it is calm. */
export class Mishaps {
  /** Said once, each after all that there is to be said. */
  readonly lies: (() => Promise<Uint8Array>)[] = [];
  #isCalm = false;
  /** One that comes after the next. */
  #late: Uint8Array | undefined;
  readonly #sent: Uint8Array[] = [];
  readonly #node: LyingNode;
  readonly #kinds: readonly (typeof MISHAPS)[number][];
  readonly #random: Random;
  readonly #tally: Tally;

  /** @param isLossy - whether commits may get lost */
  constructor(
    node: LyingNode,
    { random, tally, isLossy }: { random: Random; tally: Tally; isLossy: boolean },
  ) {
    this.#node = node;
    // Of these only commits get lost, which are about half of all frames.
    this.#kinds = isLossy ? [...MISHAPS, ...LOSSY] : HARMLESS;
    this.#random = random;
    this.#tally = tally;
    node.onFrame = (frame) => this.#pass(frame);
    node.onRest = async () => this.lies.shift()?.();
  }

  calm(): void {
    this.#isCalm = true;
    this.#late = undefined;
  }

  #pass(frame: Uint8Array): readonly Uint8Array[] | undefined {
    this.#sent.push(frame);
    const late = this.#late;
    this.#late = undefined;
    if (late) return [frame, late];
    if (this.#isCalm || !this.#random.chance(CHANCE)) return [frame];
    const kind = this.#random.oneOf(this.#kinds);
    if ((kind === 'left out' || kind === 'swapped') && !isCommit(frame)) return [frame];
    this.#tally.add(`frame: ${kind}`);
    switch (kind) {
      case 'cut':
        return undefined;
      case 'twice':
        return [frame, frame];
      case 'again':
        return [frame, this.#random.oneOf(this.#sent)];
      case 'held':
        this.#node.holdFor(this.#random.between(10, 500));
        return [frame];
      case 'swapped':
        this.#late = frame;
        return [];
      case 'left out':
        return [];
    }
  }
}

function isCommit(bytes: Uint8Array): boolean {
  const frame = Frame.fromBytes(bytes);
  return frame.isMessage() && frame.type === '#commit';
}
