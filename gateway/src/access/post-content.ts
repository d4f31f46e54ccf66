import { lexToJson } from '@atproto/lex-json';
import {
  type Boundary,
  boundaryNode,
  type Did,
  InvalidBoundaryError,
  isAtUri,
  parseAtUri,
  recordBoundaries,
} from '@stratos/protocol';
import type { JsonObject, PostView } from '@stratos/schema';
import type { HydratedPost, RecordValue } from '../hydration/posts.ts';
import { presentEmbed } from './embed.ts';
import { presentFacets } from './facets.ts';
import { isJsonObject } from './json.ts';

/** What a post says, whoever reads it. */
export interface PostContent
  extends Pick<
    PostView,
    'uri' | 'node' | 'text' | 'facets' | 'images' | 'external' | 'replyRoot' | 'replyParent'
  > {
  author: Did;
  /** All that it is signed for and that its node may speak for. */
  boundaries: readonly Boundary[];
  /** With all of its boundaries. */
  record: JsonObject;
  /** As it is in the record; null when there is none that can be read. */
  createdAt: string | null;
}

/** Of records that somebody still holds. */
const read = new WeakMap<RecordValue, PostContent>();

/** Reads a post once for as long as its record is in memory. Who may see it plays no part in that. */
export function contentOf(post: HydratedPost): PostContent {
  const known = read.get(post.value);
  if (known?.uri === post.uri && known.node === post.node) return known;
  const content = readContent(post);
  read.set(post.value, content);
  return content;
}

function readContent({ uri, node, value }: HydratedPost): PostContent {
  const record = lexToJson(value) as JsonObject;
  const { reply, text: words, createdAt } = record;
  const { did: author, rkey } = parseAtUri(uri);
  const text = typeof words === 'string' ? words : '';
  return {
    ...{ uri, node, author, text, record },
    boundaries: boundariesOf(value, node),
    facets: presentFacets(value['facets'], text),
    ...presentEmbed(value['embed'], { did: author, rkey, node }),
    createdAt: typeof createdAt === 'string' ? createdAt : null,
    replyRoot: isJsonObject(reply) ? uriOf(reply['root']) : null,
    replyParent: isJsonObject(reply) ? uriOf(reply['parent']) : null,
  };
}

/** Those that the record names and its node may speak for. What cannot be read names none. */
function boundariesOf(value: RecordValue, node: Did): Boundary[] {
  try {
    return recordBoundaries(value, node).filter((boundary) => boundaryNode(boundary) === node);
  } catch (error) {
    if (error instanceof InvalidBoundaryError) return [];
    throw error;
  }
}

function uriOf(reference: unknown): string | null {
  const uri = isJsonObject(reference) ? reference['uri'] : undefined;
  return isAtUri(uri) ? uri : null;
}
