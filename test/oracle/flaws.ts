import type { LyingNode } from '@stratos/indexer/testing';
import { ELSEWHERE } from './lies.ts';

/** What records can have though they are signed by their author, and must not be shown with. */
export const FLAWS = [
  'a boundary of another node',
  'a boundary that is not theirs',
  'no boundary',
  'what is no post',
] as const;
/** Makes any text longer than one may be. */
const TOO_OFTEN = 1_000;

interface Content {
  text: string;
  boundaries: string[];
}

/** The same with a flaw. */
export function flawed(
  { text, boundaries }: Content,
  flaw: (typeof FLAWS)[number],
  node: LyingNode,
): Content {
  switch (flaw) {
    case 'a boundary of another node':
      return { text, boundaries: [`${ELSEWHERE}/art`] };
    case 'a boundary that is not theirs':
      return { text, boundaries: [...boundaries, node.boundary('secret')] };
    case 'no boundary':
      return { text, boundaries: [] };
    case 'what is no post':
      return { text: text.repeat(TOO_OFTEN), boundaries };
  }
}
