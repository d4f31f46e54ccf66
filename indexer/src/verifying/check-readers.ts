import type { Prisma } from '@stratos/prisma';
import type { FlawKind } from './flaw.ts';
import type { StoredPerson } from './stored-person.ts';

type PostWithReaders = Prisma.PostGetPayload<{ include: { readers: true } }>;

/**
 * Whether a post is to be read where the rules have it, and nowhere else: in the boundaries of its record,
 * while its author is a member of the node, has enrolled with the same key, has an account that is in use,
 * and nothing says that the post is gone or outdated.
 */
export function* checkReaders(post: PostWithReaders, person: StoredPerson): Generator<FlawKind> {
  const isHeld = person.heldUris.has(post.uri) || person.heldUris.has(`at://${person.did}`);
  const expected = countsOf(person) && !isHeld ? post.boundaries : [];
  const shown = post.readers.map(({ boundary }) => boundary);
  if (!shown.every((boundary) => expected.includes(boundary))) yield 'shown';
  if (!expected.every((boundary) => shown.includes(boundary))) yield 'not-shown';
  const { did, cid } = post;
  const [sortAt, indexedAt] = [post.sortAt.getTime(), post.indexedAt.getTime()];
  const isCopied = post.readers.every(
    (reader) =>
      reader.did === did &&
      reader.cid === cid &&
      reader.sortAt.getTime() === sortAt &&
      reader.indexedAt.getTime() === indexedAt,
  );
  if (!isCopied) yield 'wrong-reader';
}

function countsOf({ member, enrolledKeys, isActiveAccount, resync }: StoredPerson): boolean {
  if (!member?.active || !isActiveAccount || resync === 'outdated') return false;
  return enrolledKeys.has(member.signingKey);
}
