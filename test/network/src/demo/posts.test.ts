import { expect, it } from 'vitest';
import { DEMO_ACCOUNTS } from './accounts.ts';
import { DEMO_POSTS } from './posts.ts';
import { expectedTimelineLength } from './seed.ts';

it('lets nobody write where they are no member', () => {
  for (const post of DEMO_POSTS) {
    const author = DEMO_ACCOUNTS.find(({ handle }) => handle === post.author);
    expect(author?.boundaries).toContain(post.boundary);
  }
});

it('answers only what was written before, in the same community', () => {
  DEMO_POSTS.forEach((post, index) => {
    if (!post.replyTo) return;
    const above = DEMO_POSTS.slice(0, index).find(({ id }) => id === post.replyTo);
    expect(above?.boundary).toBe(post.boundary);
  });
});

it('gives every enrolled account something to say in each of its communities', () => {
  for (const { handle, boundaries } of DEMO_ACCOUNTS) {
    for (const boundary of boundaries) {
      const own = DEMO_POSTS.filter((post) => post.author === handle && post.boundary === boundary);
      expect(own.length, `${handle} in ${boundary}`).toBeGreaterThan(0);
    }
  }
});

it('expects nothing for those without a community', () => {
  expect(expectedTimelineLength([])).toBe(0);
  expect(expectedTimelineLength(['sailors'])).toBe(2);
});
