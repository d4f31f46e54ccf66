import { lexToJson } from '@atproto/lex-json';
import { type Boundary, isAtUri, parseAtUri } from '@stratos/protocol';
import type { JsonObject, PostView } from '@stratos/schema';
import type { HydratedPost } from '../hydration/posts.ts';
import { presentEmbed } from './embed.ts';
import { presentFacets } from './facets.ts';
import { isJsonObject } from './json.ts';

/**
 * A post in the form of the API, all of it from the signed record.
 *
 * @param boundaries - those that the viewer may know of; the record is shown with no others
 */
export function presentPost(post: HydratedPost, boundaries: Boundary[], handle: string): PostView {
  const { uri, cid, node, value, indexedAt } = post;
  const record = withBoundaries(lexToJson(value) as JsonObject, boundaries);
  const reply = record['reply'];
  const { did, rkey } = parseAtUri(uri);
  const text = typeof record['text'] === 'string' ? record['text'] : '';
  const { createdAt } = record;
  return {
    uri,
    cid,
    node,
    author: { did, handle },
    text,
    facets: presentFacets(value['facets'], text),
    ...presentEmbed(value['embed'], { did, rkey, node }),
    record,
    createdAt: typeof createdAt === 'string' ? createdAt : indexedAt.toISOString(),
    indexedAt: indexedAt.toISOString(),
    boundaries,
    replyRoot: isJsonObject(reply) ? uriOf(reply['root']) : null,
    replyParent: isJsonObject(reply) ? uriOf(reply['parent']) : null,
  };
}

function withBoundaries(record: JsonObject, boundaries: Boundary[]): JsonObject {
  const { boundary } = record;
  if (!isJsonObject(boundary)) return record;
  const values = boundaries.map((value) => ({ value }));
  return { ...record, boundary: { ...boundary, values } };
}

function uriOf(reference: unknown): string | null {
  const uri = isJsonObject(reference) ? reference['uri'] : undefined;
  return isAtUri(uri) ? uri : null;
}
