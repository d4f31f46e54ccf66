import { expectTypeOf, test } from 'vitest';
import type { Operations } from './operations.ts';
import type { PostView } from './views.ts';
import type { Visible } from './visible.ts';

const unfiltered = {} as PostView;

test('an unfiltered value is not Visible, by the compiler', () => {
  expectTypeOf<PostView>().not.toExtend<Visible<PostView>>();
  expectTypeOf<Visible<PostView>>().toExtend<PostView>();

  const operations: Pick<Operations, 'post' | 'timeline'> = {
    // @ts-expect-error what no decision was made about cannot be answered
    post: async () => unfiltered,
    // @ts-expect-error nor in a page
    timeline: async () => ({ edges: [{ cursor: '', node: unfiltered }], hasNextPage: false }),
  };
  expectTypeOf(operations.post).returns.resolves.toEqualTypeOf<Visible<PostView> | null>();
});
