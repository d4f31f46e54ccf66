import { inTests, type Mutant } from '../mutant.ts';

const REVEAL = 'gateway/src/access/reveal.ts';
const UNAVAILABLE = 'gateway/src/operations/unavailable-loader.ts';
const POSTS = 'gateway/src/operations/posts.ts';
const PAGE = 'gateway/src/operations/page.ts';
const HYDRATION = 'gateway/src/hydration/posts.ts';

const ofUnavailable = inTests('gateway/src/hydration/unavailable.test.ts');

/** Of what is said of posts whose nodes do not answer. */
export const WHAT_IS_UNAVAILABLE: readonly Mutant[] = [
  ofUnavailable('a post that nodes were asked for in vain is still that post', [
    UNAVAILABLE,
    'cids.get(postKey(post)) !== post.cid',
    '!cids.has(postKey(post))',
  ]),
  ofUnavailable('what is unavailable is still in the scope', [
    UNAVAILABLE,
    ' || cids.get(postKey(post)) !== post.cid',
    '',
  ]),
  ofUnavailable('what is unavailable has an author in use', [
    REVEAL,
    '    if (!author.active) return undefined;\n    if (within',
    '    if (within',
  ]),
  ofUnavailable('what is unavailable in a boundary is for who still reads it', [
    REVEAL,
    '    if (within && !scope.boundaries.has(within)) return undefined;\n',
    '',
  ]),
  ofUnavailable('a record that is refused is not unavailable', [
    HYDRATION,
    "if (hydrated === 'unavailable') return hydrated;",
    "return 'unavailable';",
  ]),
  ofUnavailable('a post that another node gives is not unavailable', [
    POSTS,
    '(at.posts.length > 0 ? [] : at.unavailable)',
    'at.unavailable',
  ]),
  ofUnavailable('pages go on past what is unavailable', [
    PAGE,
    'const last = inOrder.at(-1);',
    'const last = inOrder.findLast(({ post }) => post);',
  ]),
];
