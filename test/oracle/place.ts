import { Author, type LyingNode } from '@stratos/indexer/testing';
import type { PublicPerson } from './public-person.ts';

/** A person's repo at a node. */
export interface Place {
  person: PublicPerson;
  node: LyingNode;
  author: Author;
  /** Names of the boundaries that they hold now; undefined while they are no member. */
  held: string[] | undefined;
  hasBegun: boolean;
  /** The repo as it began. */
  earlier: Uint8Array;
  /** Whether it may still give something else for the repo. */
  mayLie: boolean;
  /** By record key, what the repo holds. */
  posts: Map<string, string>;
}

/** A repo in which there is nothing yet. */
export async function openPlace(person: PublicPerson, node: LyingNode): Promise<Place> {
  const author = await Author.create(person.did);
  return {
    ...{ person, node, author, held: undefined, posts: new Map() },
    ...{ hasBegun: false, mayLie: true, earlier: await author.car() },
  };
}
