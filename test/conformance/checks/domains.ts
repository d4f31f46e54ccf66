import assert from 'node:assert/strict';
import { isBoundary } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';

const { listDomains } = zone.stratos.server;

/** The boundaries that the node keeps. */
export const domains = new CheckGroup('list-domains');

domains.add('are told to everybody', async ({ node }) => {
  const { domains: list } = (await node.call(listDomains)).ok<Output>();
  assert.ok(list.length > 0);
});

domains.add('are qualified, by strict syntax', async ({ node }) => {
  const { domains: list } = (await node.call(listDomains)).ok<Output>();
  for (const boundary of list) assert.ok(isBoundary(boundary), boundary);
});

domains.add('are all of this node', async ({ node }) => {
  const { domains: list } = (await node.call(listDomains)).ok<Output>();
  for (const boundary of list) assert.ok(boundary.startsWith(`${node.did}/`), boundary);
});

domains.add('are each there once', async ({ node }) => {
  const { domains: list } = (await node.call(listDomains)).ok<Output>();
  assert.equal(new Set(list).size, list.length);
});

type Output = zone.stratos.server.listDomains.$OutputBody;
