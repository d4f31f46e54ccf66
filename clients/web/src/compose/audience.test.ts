import { expect, test } from 'vitest';
import { audienceOf, choicesOf } from './audience.ts';

const steel = 'did:web:a.example.com/steel';
const fire = 'did:web:a.example.com/fire';
const sea = 'did:web:b.example.com%3A8080/sea';

test('is said in words, also when there is none', () => {
  expect(audienceOf([])).toContain('Nobody');
  expect(audienceOf([steel])).toBe('Only members of steel');
  expect(audienceOf([steel, fire])).toBe('Only members of steel or fire');
});

test('is of one node', () => {
  const possible = (chosen: string[]) =>
    choicesOf([steel, fire, sea], chosen).map(({ isPossible }) => isPossible);
  expect(possible([])).toEqual([true, true, true]);
  expect(possible([steel])).toEqual([true, true, false]);
  expect(possible([sea])).toEqual([false, false, true]);
});

test('names the node as people write it', () => {
  expect(choicesOf([sea], [])).toEqual([
    { boundary: sea, name: 'sea', node: 'b.example.com:8080', isPossible: true },
  ]);
});
