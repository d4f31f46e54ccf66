import type { Boundary } from '@stratos/protocol';
import type { JsonObject, PostView } from '@stratos/schema';
import type { HydratedPost } from '../hydration/posts.ts';
import { isJsonObject } from './json.ts';
import { contentOf } from './post-content.ts';

/**
 * A post in the form of the API, all of it from the signed record.
 *
 * @param boundaries - those that the viewer may know of; the record is shown with no others
 */
export function presentPost(
  post: HydratedPost,
  boundaries: readonly Boundary[],
  handle: string,
): PostView {
  const { uri, cid, node, indexedAt } = post;
  const content = contentOf(post);
  const { text, facets, images, external, replyRoot, replyParent } = content;
  const seenAt = indexedAt.toISOString();
  return {
    uri,
    cid,
    node,
    author: { did: content.author, handle },
    text,
    facets,
    images,
    external,
    record: withBoundaries(content.record, boundaries),
    createdAt: content.createdAt ?? seenAt,
    indexedAt: seenAt,
    boundaries: [...boundaries],
    replyRoot,
    replyParent,
  };
}

function withBoundaries(record: JsonObject, boundaries: readonly Boundary[]): JsonObject {
  const { boundary } = record;
  if (!isJsonObject(boundary)) return record;
  const values = boundaries.map((value) => ({ value }));
  return { ...record, boundary: { ...boundary, values } };
}
