import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from './checks/index.ts';
import { LocalNodes } from './local/local-nodes.ts';
import { runCheck } from './run.ts';

const BACKENDS = ['sqlite', 'postgres'] as const;

let nodes: LocalNodes;
beforeAll(async () => {
  nodes = await LocalNodes.start(BACKENDS);
});
afterAll(() => nodes?.[Symbol.asyncDispose]());

describe.each(BACKENDS)('a node with %s', (backend) => {
  it.each(CHECKS.map((check) => [`${check.group}: ${check.name}`, check] as const))(
    '%s',
    async (_name, check) => {
      const { result, reason } = await runCheck(nodes.world(backend), check);
      expect({ result, reason }).toEqual({ result: 'passed', reason: undefined });
    },
  );
});

it('has no two checks of one name', () => {
  const names = CHECKS.map(({ group, name }) => `${group}: ${name}`);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
