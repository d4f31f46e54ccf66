import { expect, test } from 'vitest';
import { beginFlow, resumeFlow } from './flow.ts';

test('a flow goes on in the browser that began it, and in no other', () => {
  const { state, secret } = beginFlow('/graphiql');
  expect(resumeFlow(state, secret)).toBe('/graphiql');
  for (const other of [undefined, '', 'x', secret.slice(1), beginFlow('/').secret]) {
    expect(resumeFlow(state, other)).toBeUndefined();
  }
});

test('what is kept of a flow does not resume it', () => {
  const { state, secret } = beginFlow('/');
  expect(state).not.toContain(secret);
  expect(resumeFlow(state, JSON.parse(state).secretHash)).toBeUndefined();
});

test('a flow leads to a path here, whatever was kept', () => {
  const { state, secret } = beginFlow('https://evil.example/');
  expect(resumeFlow(state, secret)).toBe('/');
});

test.each([undefined, null, 7, {}, '{}', '"x"'])('%j is no flow', (state) => {
  expect(resumeFlow(state, 'secret')).toBeUndefined();
});
