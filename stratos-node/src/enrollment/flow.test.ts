import { expect, it } from 'vitest';
import { beginFlow, parseCookies, resumeFlow } from './flow.ts';

it('goes on only in the browser that began', () => {
  const flow = beginFlow('https://app.example.com/done');
  const cookies = parseCookies(`other=1; ${flow.cookieName}=${flow.secret}`);
  expect(resumeFlow(flow.state, cookies)).toEqual({
    cookieName: flow.cookieName,
    returnTo: 'https://app.example.com/done',
  });
  const stranger = beginFlow(undefined);
  expect(resumeFlow(flow.state, new Map())).toBeUndefined();
  expect(resumeFlow(flow.state, new Map([[flow.cookieName, stranger.secret]]))).toBeUndefined();
  expect(resumeFlow(flow.state, new Map([[stranger.cookieName, stranger.secret]]))).toBeUndefined();
  expect(resumeFlow(undefined, cookies)).toBeUndefined();
  expect(resumeFlow('nonsense', cookies)).toBeUndefined();
});

it('stores nothing by which the cookie could be made', () => {
  const flow = beginFlow(undefined);
  expect(flow.state).not.toContain(flow.secret);
});
