import { toBoundary, toDid } from '@stratos/protocol';
import { expect, test } from 'vitest';
import type { LiveEvent } from './live.svelte.ts';
import type { Post } from './posts.ts';
import { remaining } from './remaining.ts';

const node = toDid('did:web:node.example.com');
const other = toDid('did:web:other.example.com');
const steel = toBoundary(`${node}/steel`);
const fire = toBoundary(`${node}/fire`);
const uri = 'at://did:plc:abcdefghijklmnopqrstuvwx/zone.stratos.feed.post/1' as Post['uri'];
const post = { uri, node, text: 'Words', boundaries: [steel, fire] } as Partial<Post> as Post;

const boundariesAfter = (event: LiveEvent) => remaining(post, event)?.boundaries;

test.each<LiveEvent>([
  { type: 'opened', boundaries: [steel, fire, toBoundary(`${node}/more`)] },
  { type: 'removed', uri, node: other },
  { type: 'closed', reason: 'tooSlow' },
  { type: 'boundaryOpened', boundary: steel },
  { type: 'boundaryClosed', boundary: toBoundary(`${other}/steel`) },
  { type: 'reset' },
])('is all of it after what has nothing to do with it: $type', (event) => {
  expect(remaining(post, event)).toBe(post);
});

test.each<LiveEvent>([
  { type: 'opened', boundaries: [fire] },
  { type: 'boundaryClosed', boundary: steel },
])('has no boundary that was lost: $type', (event) => {
  expect(boundariesAfter(event)).toEqual([fire]);
});

test.each<LiveEvent>([
  { type: 'opened', boundaries: [] },
  { type: 'removed', uri, node },
  { type: 'closed', reason: 'accessLost' },
])('is nothing after: $type', (event) => {
  expect(remaining(post, event)).toBeUndefined();
});

test('is nothing once its last boundary is lost', () => {
  const last: Post = { ...post, boundaries: [steel] };
  expect(remaining(last, { type: 'boundaryClosed', boundary: steel })).toBeUndefined();
});
