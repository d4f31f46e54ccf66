import {
  InvalidInputError,
  isAtUri,
  nodeOfBoundaries,
  type RecordRef,
  uploadImage,
  writePost,
} from '@stratos/client';
import type { SignedIn } from '../account/signed-in.svelte.ts';
import type { Post } from '../feed/posts.ts';
import type { Picture } from './pictures.ts';

/** What somebody has written and wants to post. */
export interface Draft {
  text: string;
  boundaries: readonly string[];
  pictures: readonly Picture[];
  replyTo: Post | undefined;
}

/** Writes a draft to the node of its boundaries. Throws a `StratosError`. */
export async function write(person: SignedIn, draft: Draft): Promise<RecordRef> {
  const { text, boundaries, pictures, replyTo } = draft;
  const session = await person.nodes.at(nodeOfBoundaries(boundaries));
  const images = await Promise.all(pictures.map((picture) => uploadImage(session, picture)));
  const reply = replyTo && (await replyRefs(person, replyTo));
  const langs = navigator.language.match(/^[a-z]{2,3}\b/);
  return writePost(session, {
    text,
    boundaries,
    images,
    reply,
    langs: langs ?? undefined,
    handles: person.handles,
  });
}

/** What a reply refers to: where the post that began the conversation is not to be seen, its parent stands for it. */
async function replyRefs({ stratos }: SignedIn, post: Post) {
  const parent = refOf(post);
  const root = post.replyRoot === null ? null : await stratos.post.query({ uri: post.replyRoot });
  return { parent, root: root ? refOf(root) : parent };
}

function refOf({ uri, cid }: Pick<Post, 'uri' | 'cid'>): RecordRef {
  const address: string = uri;
  if (isAtUri(address)) return { uri: address, cid };
  throw new InvalidInputError('InvalidUri', `${uri} is no address of a record`);
}
