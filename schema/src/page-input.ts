import { DEFAULT_PAGE_SIZE } from './limits.ts';
import type { PageInput } from './operations.ts';
import type { Direction } from './whole-post.ts';

/** A page as it is asked for by limit and cursor, where there are no edges. */
export interface CursorInput {
  limit?: number | undefined;
  cursor?: string | null | undefined;
  direction?: Direction | undefined;
}

/** What a limit, a cursor and a direction mean. */
export function pageInput({
  limit = DEFAULT_PAGE_SIZE,
  cursor,
  direction = 'forward',
}: CursorInput): PageInput {
  const from = cursor ?? undefined;
  return direction === 'forward' ? { first: limit, after: from } : { last: limit, before: from };
}
