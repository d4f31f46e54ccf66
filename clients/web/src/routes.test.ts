import { expect, test } from 'vitest';
import { hrefOf, parseRoute, type Route } from './routes.ts';

const boundary = 'did:web:localhost%3A3100/swordsmith';
const uri = 'at://did:plc:abcdefghijklmnopqrstuvwx/zone.stratos.feed.post/3l2eoxvkq7c2y';

test.each<Route>([
  { screen: 'home' },
  { screen: 'home', boundary },
  { screen: 'thread', uri },
  { screen: 'inspector', uri },
  { screen: 'person', actor: 'did:web:localhost%3A3100' },
  { screen: 'search', text: 'steel & #fire/ice' },
  { screen: 'communities' },
])('leads to where its address says: %o', (route) => {
  expect(parseRoute(hrefOf(route))).toEqual(route);
});

test.each(['#/community/nowhere', '#/post/rei.test/1', '#/people/%E0%A4%A', '#/people', '#/else'])(
  'knows of nothing at %s',
  (hash) => {
    expect(parseRoute(hash)).toEqual({ screen: 'unknown' });
  },
);
