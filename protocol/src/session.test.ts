import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AuthRequiredError } from './errors.ts';
import { toDid } from './identifiers.ts';
import { isSessionToken, Sessions } from './session.ts';
import { SigningKey } from './signing-key.ts';

const service = toDid('did:web:node.example.com');
const session = { viewer: toDid('did:plc:rei'), boundTo: 'thumbprint' };
const key = SigningKey.generate('P-256');

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

it('is good for ten minutes, also once it is remembered', async () => {
  const sessions = new Sessions(key, service);
  const { token, expiresAt } = await sessions.issue(session);
  expect(expiresAt).toEqual(new Date(Date.now() + 600_000));
  expect(await sessions.verify(token)).toEqual({ ...session, expiresAt });
  vi.advanceTimersByTime(599_000);
  expect(await sessions.verify(token)).toEqual({ ...session, expiresAt });
  vi.advanceTimersByTime(10_000);
  await expect(sessions.verify(token)).rejects.toThrow(AuthRequiredError);
  await expect(new Sessions(key, service).verify(token)).rejects.toThrow(AuthRequiredError);
});

it('is good wherever the key is, for its own service alone', async () => {
  const { token } = await new Sessions(key, service).issue(session);
  const replica = new Sessions(SigningKey.import('P-256', key.export()), service);
  expect(await replica.verify(token)).toEqual({ ...session, expiresAt: expect.any(Date) });
  const others = [
    new Sessions(key, toDid('did:web:elsewhere.example.com')),
    new Sessions(SigningKey.generate('P-256'), service),
  ];
  for (const other of others) {
    await expect(other.verify(token)).rejects.toThrow(AuthRequiredError);
  }
});

it('ends with its key, also where it is remembered', async () => {
  let current = key;
  const sessions = new Sessions(() => current, service);
  const { token } = await sessions.issue(session);
  expect(await sessions.verify(token)).toEqual({ ...session, expiresAt: expect.any(Date) });
  current = SigningKey.generate('P-256');
  await expect(sessions.verify(token)).rejects.toThrow(AuthRequiredError);
  const next = await sessions.issue(session);
  expect(await sessions.verify(next.token)).toEqual({ ...session, expiresAt: expect.any(Date) });
});

it('says what it is', async () => {
  const { token } = await new Sessions(key, service).issue(session);
  expect(isSessionToken(token)).toBe(true);
  for (const other of ['', 'x', 'a.b.c', `${token}.x`]) expect(isSessionToken(other)).toBe(false);
});
