import { describe, expect, it } from 'vitest';
import { type Heartbeat, signHeartbeat, verifyHeartbeat } from './heartbeat.ts';
import { toDid } from './identifiers.ts';
import { SigningKey } from './signing-key.ts';

const service = toDid('did:web:localhost%3A3100');
const node = SigningKey.generate('secp256k1');
const keys = [node.did()];
const heartbeat: Heartbeat = {
  service,
  seq: 12,
  time: new Date(),
  membershipSeq: 0,
  membershipHead: undefined,
};

describe('heartbeat', () => {
  it('verifies as it was signed', async () => {
    expect(verifyHeartbeat(await signHeartbeat(heartbeat, node), { service, keys })).toEqual(
      heartbeat,
    );
  });

  it('refuses a changed position, another node, another key, and the future', async () => {
    const frame = await signHeartbeat(heartbeat, node);
    const reason = (frame: unknown, options = { service, keys }) => {
      try {
        verifyHeartbeat(frame, options);
        return 'accepted';
      } catch (error) {
        return (error as { reason?: string }).reason;
      }
    };
    expect(reason({ ...frame, seq: 13 })).toBe('bad-signature');
    expect(reason({ ...frame, membershipSeq: 1 })).toBe('bad-signature');
    expect(reason(frame, { service: toDid('did:web:other.example'), keys })).toBe('wrong-service');
    expect(reason(frame, { service, keys: [SigningKey.generate('secp256k1').did()] })).toBe(
      'bad-signature',
    );
    const future = await signHeartbeat(
      { ...heartbeat, time: new Date(Date.now() + 3_600_000) },
      node,
    );
    expect(reason(future)).toBe('in-the-future');
    expect(reason({ seq: 12 })).toBe('malformed');
  });
});
