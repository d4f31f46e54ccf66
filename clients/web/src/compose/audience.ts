import { parseBoundary } from '@stratos/client';
import { hostOf, nameOf } from '../feed/posts.ts';

/** Who reads a post, in words. */
export function audienceOf(boundaries: readonly string[]): string {
  if (boundaries.length === 0) return 'Nobody yet: choose a community';
  const names = new Intl.ListFormat('en', { type: 'disjunction' }).format(boundaries.map(nameOf));
  return `Only members of ${names}`;
}

export interface Choice {
  boundary: string;
  name: string;
  node: string;
  /** False where it is of another node than what is chosen: a post is kept at one. */
  isPossible: boolean;
}

/** What can be chosen beside what is chosen already. */
export function choicesOf(open: readonly string[], chosen: readonly string[]): Choice[] {
  const nodes = new Set(chosen.map((boundary) => parseBoundary(boundary).node));
  return open.map((boundary) => ({
    boundary,
    name: nameOf(boundary),
    node: hostOf(boundary),
    isPossible: nodes.size === 0 || nodes.has(parseBoundary(boundary).node),
  }));
}
