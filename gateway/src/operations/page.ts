import type { Boundary } from '@stratos/protocol';
import type { PageInput, PostView, Visible, VisiblePostPage } from '@stratos/schema';
import { ApiError } from '@stratos/schema';
import type { Position, Slice } from '../feeds/skeleton.ts';
import { postKey } from '../hydration/posts.ts';
import { checkPage } from './check-input.ts';
import { type Found, type Revealed, revealAll } from './found.ts';
import type { Hydration, Request } from './request.ts';

/** A feed of posts, of which pages are read. */
export interface Feed {
  /** With its arguments, what a cursor is good for. */
  operation: string;
  arguments: Record<string, string | undefined>;
  /** Only posts that are signed for this boundary. */
  within?: Boundary | undefined;
  find: (slice: Slice) => Promise<Found>;
}

/** How often a page is made up for posts that fail verification. */
const MAX_READS = 10;

/** A page of visible posts. Throws `BAD_USER_INPUT`, `QUERY_TOO_COMPLEX` or `INVALID_CURSOR`. */
export async function readPage(
  request: Request,
  feed: Feed,
  input: PageInput,
): Promise<VisiblePostPage> {
  const { size, cursor, reverse } = checkPage(input);
  request.budget.spend(size);
  const { viewer, cursors } = request;
  const scope = { viewer, operation: feed.operation, arguments: feed.arguments };
  const after = cursor === undefined ? undefined : cursors.open(cursor, scope);
  const taken = await take(request, feed, { after, count: size + 1, reverse });
  const page = taken.slice(0, size);
  const [nearest] = page;
  const goesOn = async () => taken.length > size;
  /** Whether a walk of the whole feed in this direction begins with something else. */
  const isPreceded = async () => {
    if (after === undefined) return false;
    const [first] = await take(request, feed, { after: undefined, count: 1, reverse });
    return (
      first !== undefined && (!nearest || postKey(first.position) !== postKey(nearest.position))
    );
  };
  const [hasNextPage, hasPreviousPage] = reverse ? [isPreceded, goesOn] : [goesOn, isPreceded];
  const inOrder = reverse ? page.toReversed() : page;
  const cursorOf = ({ position }: Revealed) => cursors.seal(position, scope);
  return {
    edges: inOrder.flatMap((one) => (one.post ? edge(one.post, () => cursorOf(one)) : [])),
    unavailable: inOrder.flatMap(({ unavailable }) => unavailable ?? []),
    get startCursor() {
      const [first] = inOrder;
      return first ? cursorOf(first) : null;
    },
    get endCursor() {
      const last = inOrder.at(-1);
      return last ? cursorOf(last) : null;
    },
    hasNextPage,
    hasPreviousPage,
  };
}

/**
 * So many posts from a position on, or all that there are. What fails verification is made up for by
 * what follows it.
 */
async function take(
  hydration: Hydration,
  { find, within }: Feed,
  { after, count, reverse }: { after: Position | undefined; count: number; reverse: boolean },
): Promise<Revealed[]> {
  const revealed: Revealed[] = [];
  for (let from = after, more = true, reads = 0; more && revealed.length < count; reads += 1) {
    if (reads === MAX_READS) {
      throw new ApiError('UNAVAILABLE', 'Too many posts of the feed cannot be had at the moment');
    }
    const found = await find({ after: from, limit: count, reverse });
    const posts = await revealAll(hydration, found, within);
    revealed.push(...posts.filter((post) => post !== undefined));
    from = found.posts.at(-1)?.candidate;
    more = found.posts.length === count;
  }
  return revealed.slice(0, count);
}

/** An edge whose cursor is made when somebody asks for it. */
function edge(node: Visible<PostView>, cursor: () => string) {
  return {
    node,
    get cursor() {
      return cursor();
    },
  };
}
