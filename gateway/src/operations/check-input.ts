import type { AtUri } from '@stratos/protocol';
import {
  ApiError,
  DEFAULT_PAGE_SIZE,
  DEFAULT_THREAD_DEPTH,
  DEFAULT_THREAD_PAGE_SIZE,
  isActor,
  MAX_PAGE_SIZE,
  MAX_SEARCH_TEXT,
  MAX_THREAD_DEPTH,
  MAX_URIS,
  type PageInput,
  type ThreadInput,
} from '@stratos/schema';

/** A page that can be read: so many posts from an end of the feed, or from a cursor. */
export interface CheckedPage {
  size: number;
  cursor: string | undefined;
  /** From the end, or before the cursor. */
  reverse: boolean;
}

/** Throws `BAD_USER_INPUT`, as everything here does. */
export function checkPage({ first, after, last, before }: PageInput): CheckedPage {
  if (first !== undefined && last !== undefined) throw refuse('first and last exclude each other');
  if (after !== undefined && last !== undefined)
    throw refuse('after goes with first, not with last');
  if (before !== undefined && last === undefined) throw refuse('before needs last');
  if (last === undefined) {
    const size = checkRange('first', first ?? DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE);
    return { size, cursor: after, reverse: false };
  }
  const size = checkRange('last', last, 1, MAX_PAGE_SIZE);
  return { size, cursor: before, reverse: true };
}

export function checkActor(actor: string): string {
  if (!isActor(actor)) throw refuse('actor must be a DID or a handle');
  return actor;
}

export function checkUris(uris: AtUri[]): AtUri[] {
  checkRange('the number of uris', uris.length, 0, MAX_URIS);
  return uris;
}

export function checkText(text: string): string {
  const graphemes = Array.from(new Intl.Segmenter().segment(text.slice(0, 16 * MAX_SEARCH_TEXT)));
  if (graphemes.length > MAX_SEARCH_TEXT || text.length > 16 * MAX_SEARCH_TEXT) {
    throw refuse(`text must be ${MAX_SEARCH_TEXT} graphemes at most`);
  }
  return text;
}

export function checkThread(input: ThreadInput): Required<ThreadInput> {
  const { uri, height = MAX_THREAD_DEPTH, depth = DEFAULT_THREAD_DEPTH } = input;
  const { limit = DEFAULT_THREAD_PAGE_SIZE } = input;
  return {
    uri,
    height: checkRange('height', height, 0, MAX_THREAD_DEPTH),
    depth: checkRange('depth', depth, 0, MAX_THREAD_DEPTH),
    limit: checkRange('limit', limit, 1, MAX_PAGE_SIZE),
  };
}

function checkRange(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw refuse(`${name} must be ${least} to ${most}`);
}

function refuse(message: string): ApiError {
  return new ApiError('BAD_USER_INPUT', message);
}
