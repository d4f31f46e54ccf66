import { qualifyBoundary, toDid } from '@stratos/protocol';
import { expect, test } from 'vitest';
import { narrow } from './search.ts';

const node = toDid('did:web:node.test');
const [open, closed, other] = ['open', 'closed', 'other'].map((name) =>
  qualifyBoundary(node, name),
);

test('nothing outside the scope is looked for', () => {
  const scope = {
    viewer: toDid('did:plc:alice'),
    boundaries: new Set([open, other].filter((b) => b !== undefined)),
  };
  expect([...narrow(scope, undefined)]).toEqual([open, other]);
  expect([...narrow(scope, open)]).toEqual([open]);
  expect([...narrow(scope, closed)]).toEqual([]);
});
