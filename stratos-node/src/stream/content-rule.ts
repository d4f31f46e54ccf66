import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';

/** Who listens to what somebody wrote: they themselves, or an AppView that the operator named. */
export type Listener = 'owner' | 'AppView';

/**
 * Those of the people whose records a stream may carry with their content, as of now. Of somebody
 * who left it is theirs alone, and of an account that is taken down nobody's.
 */
export async function withContent(
  ctx: Pick<NodeContext, 'service'>,
  authors: readonly Did[],
  listener: Listener,
): Promise<Set<Did>> {
  const standings = await ctx.service.enrollments.standings(authors);
  return new Set(
    authors.filter((author) => {
      const standing = standings.get(author);
      if (!standing || standing.isTakenDown) return false;
      return listener === 'owner' || standing.active;
    }),
  );
}
