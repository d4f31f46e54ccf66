import { type Did, loadOrCreateSigningKey, SESSION_LIFETIME, Sessions } from '@stratos/protocol';
import { vi } from 'vitest';
import type { TestGateway } from './test-gateway.ts';

/** A session that is over after some seconds. */
export async function briefSession(
  { config, did }: TestGateway,
  viewer: Did,
  seconds: number,
): Promise<string> {
  const key = await loadOrCreateSigningKey(config.sessionKeyFile, 'P-256');
  vi.useFakeTimers({ now: Date.now() - (SESSION_LIFETIME - seconds) * 1000, toFake: ['Date'] });
  try {
    const { token } = await new Sessions(key, did).issue({ viewer, boundTo: undefined });
    return token;
  } finally {
    vi.useRealTimers();
  }
}
