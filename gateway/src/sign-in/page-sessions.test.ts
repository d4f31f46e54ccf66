import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { toDid } from '@stratos/protocol';
import express from 'express';
import { afterEach, expect, test, vi } from 'vitest';
import { MemoryKeptValues } from './kept-values.ts';
import { PageSessions } from './page-sessions.ts';

const rei = toDid('did:plc:reiaaaaaaaaaaaaaaaaaaaaa');
const origin = 'https://gateway.example.com';
const HOUR = 3_600_000;

afterEach(() => {
  vi.useRealTimers();
});

function exchange(headers: Record<string, string>, method = 'POST') {
  const app = express();
  const req = Object.setPrototypeOf(new IncomingMessage(new Socket()), app.request);
  Object.assign(req, { method, headers: { 'content-type': 'application/json', ...headers } });
  const res = Object.setPrototypeOf(new ServerResponse(req), app.response);
  Object.assign(res, { req });
  return { req, res };
}

async function signedIn() {
  const values = new MemoryKeptValues();
  const sessions = new PageSessions({ values, publicUrl: origin, origins: [origin] });
  const { req, res } = exchange({});
  await sessions.begin(req, res, rei);
  const [line = ''] = [res.getHeader('set-cookie') ?? ''].flat().map(String);
  const [cookie = ''] = line.split(';');
  const identify = async () => {
    const asked = exchange({ cookie, origin });
    const caller = await sessions.identify(asked.req, asked.res);
    const { did, until } = caller ?? {};
    return { did, until, renewed: asked.res.getHeader('set-cookie') !== undefined };
  };
  return { values, sessions, line, cookie, identify };
}

test('the cookie is bound to the host, hidden from scripts and not sent along by other sites', async () => {
  const { line } = await signedIn();
  expect(line).toMatch(/^__Host-stratos-session=[\w-]{43};/);
  for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Path=/']) {
    expect(line).toContain(attribute);
  }
  expect(line).not.toContain('Domain');
});

test('use prolongs a session, for fourteen days', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  const { identify } = await signedIn();
  expect(await identify()).toMatchObject({ did: rei, renewed: false });
  for (let hours = 0; hours < 14 * 24 - 20; hours += 20) {
    vi.advanceTimersByTime(20 * HOUR);
    expect(await identify()).toMatchObject({ did: rei, renewed: true });
  }
  vi.advanceTimersByTime(20 * HOUR);
  expect(await identify()).toMatchObject({ did: undefined, renewed: false });
});

test('a session that is not used for a day is over', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  const { identify } = await signedIn();
  vi.advanceTimersByTime(24.1 * HOUR);
  expect(await identify()).toMatchObject({ did: undefined, renewed: false });
});

test('a stream that is opened with a session lasts as long as a token, and no longer than the session', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  const { identify } = await signedIn();
  const begun = Math.floor(Date.now() / 1000) * 1000;
  expect((await identify()).until).toEqual(new Date(begun + 600_000));
  for (let hours = 0; hours < 14 * 24 - 23; hours += 23) {
    vi.advanceTimersByTime(23 * HOUR);
    await identify();
  }
  const end = begun + 14 * 24 * HOUR;
  vi.setSystemTime(end - 60_000);
  expect((await identify()).until).toEqual(new Date(end));
});

test('what is kept of a session is no cookie', async () => {
  const { values, cookie } = await signedIn();
  const secret = cookie.slice(cookie.indexOf('=') + 1);
  expect(await values.get(secret)).toBeUndefined();
});

test('signing in again ends the session before', async () => {
  const { sessions, cookie, identify } = await signedIn();
  const { req, res } = exchange({ cookie });
  await sessions.begin(req, res, rei);
  expect((await identify()).did).toBeUndefined();
});
