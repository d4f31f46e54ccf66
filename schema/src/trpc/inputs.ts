import { isAtUri, isBoundary, isDid, toAtUri, toBoundary, toDid } from '@stratos/protocol';
import { z } from 'zod';
import { isActor } from '../actor-input.ts';
import { MAX_PAGE_SIZE, MAX_THREAD_DEPTH, MAX_URIS } from '../limits.ts';

const boundary = z
  .string()
  .refine(isBoundary, 'not a boundary of the form {nodeDid}/{name}')
  .transform(toBoundary);
const uri = z.string().refine(isAtUri, 'not an AT-URI of a record').transform(toAtUri);
const did = z.string().refine(isDid, 'not a DID').transform(toDid);
const actor = z.string().refine(isActor, 'not a DID or handle');
const limit = z.int().min(1).max(MAX_PAGE_SIZE).optional();

const whole = {
  /** Whether to count replies and quotes, too. */
  counts: z.boolean().optional(),
};

const page = {
  ...whole,
  /** Posts in a page. */
  limit,
  /** Cursor beside another page: `cursor` to go forward, `previousCursor` to go backward. */
  cursor: z.string().max(1024).nullish(),
  /** As tRPC's infinite queries say it. */
  direction: z.literal(['forward', 'backward']).optional(),
};

const feed = {
  ...page,
  /** Only posts of this boundary. */
  boundary: boundary.optional(),
};

export const timelineInput = z.strictObject(feed).default({});
export const authorFeedInput = z.strictObject({ ...feed, actor });
export const searchInput = z.strictObject({
  ...feed,
  text: z.string(),
  /** As tRPC's infinite queries say it: searches go forward only. */
  direction: z.literal('forward').optional(),
});
export const repliesInput = z.strictObject({ ...page, uri });
export const postInput = z.strictObject({ ...whole, uri });
export const postProofInput = z.strictObject({ uri });
export const postsInput = z.strictObject({ ...whole, uris: z.array(uri).max(MAX_URIS) });
export const unavailablePostsInput = z.strictObject({ uris: z.array(uri).max(MAX_URIS) });
export const threadInput = z.strictObject({
  ...whole,
  uri,
  /** Ancestors at most. */
  height: z.int().min(0).max(MAX_THREAD_DEPTH).optional(),
  /** Levels of replies. */
  depth: z.int().min(0).max(MAX_THREAD_DEPTH).optional(),
  /** Replies to each post. */
  limit,
});
export const actorInput = z.strictObject({ actor });
export const boundaryInput = z.strictObject({ boundary });
export const nodeInput = z.strictObject({ did });
