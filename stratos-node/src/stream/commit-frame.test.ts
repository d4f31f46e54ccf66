import { createHash } from 'node:crypto';
import { decodeCid, type LexMap, parseCid } from '@atproto/lex-data';
import { MessageFrame } from '@atproto/xrpc-server';
import { type Cid, type Did, type Tid, toCid, toDid } from '@stratos/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { appendToCar } from '../repo/car.ts';
import { CommitFrames, type EmittedCommit } from './commit-frame.ts';

const cids = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((seed) => {
  const digest = createHash('sha256').update(seed).digest();
  const cid = decodeCid(Buffer.concat([Buffer.from([1, 0x71, 0x12, 0x20]), digest]));
  return toCid(cid.toString());
});
const boundaries = fc.array(fc.string({ unit: 'grapheme', maxLength: 250 }), { maxLength: 25 });
const rev = fc.stringMatching(/^[2-7a-z]{13}$/).map((text) => text as Tid);

const ops = fc.record(
  {
    action: fc.constantFrom('create', 'update', 'delete'),
    path: fc.string({ unit: 'grapheme' }),
    cid: cids,
    prev: cids,
    boundaries: boundaries as fc.Arbitrary<never[]>,
    prevBoundaries: boundaries as fc.Arbitrary<never[]>,
  },
  { requiredKeys: ['action', 'path'] },
);

const commits: fc.Arbitrary<EmittedCommit> = fc.record({
  seq: fc.oneof(fc.maxSafeNat(), fc.integer({ min: 0, max: 70_000 })),
  did: fc.string().map((text) => `did:example:${text}` as Did),
  event: fc.record(
    {
      time: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      rev,
      commit: cids,
      since: rev,
      prevData: cids,
      ops: fc.array(ops, { maxLength: 25 }),
      proof: fc.uint8Array({ maxLength: 70_000, size: 'max' }),
    },
    { requiredKeys: ['time', 'rev', 'commit', 'ops', 'proof'] },
  ),
  records: fc
    .array(fc.tuple(cids, fc.uint8Array({ maxLength: 20_000, size: 'max' })), { maxLength: 5 })
    .map((entries) => new Map(entries)),
});

/** The same by the encoder of the protocol. */
function generally({ seq, did, event, records }: EmittedCommit): Buffer {
  const { commit, prevData, proof, since, time } = event;
  const link = (cid: Cid | undefined) => cid && parseCid(cid);
  const ops = event.ops.map(({ cid, prev, ...op }) => ({
    ...op,
    cid: link(cid),
    prev: link(prev),
  }));
  const contents = records.entries().map(([cid, bytes]) => [parseCid(cid).bytes, bytes] as const);
  const blocks = appendToCar(proof, contents);
  const named = { commit: link(commit), prevData: link(prevData), since, time, rev: event.rev };
  const body = { seq, did, ...named, ops, blocks };
  return Buffer.from(new MessageFrame(body as LexMap, { type: '#commit' }).toBytes());
}

it('is what the encoder of the protocol makes of it', () => {
  fc.assert(
    fc.property(fc.array(commits, { maxLength: 3 }), (list) => {
      const frames = new CommitFrames(list);
      const made = list.map((commit) => frames.frame(commit));
      for (const [i, frame] of made.entries()) {
        const expected = generally(list[i] as EmittedCommit);
        expect(Buffer.compare(frame.toBytes(), expected)).toBe(0);
      }
    }),
    { numRuns: 40 },
  );
});

it('can be read', () => {
  const did = toDid('did:web:localhost');
  const [cid] = fc.sample(cids, 1) as [Cid];
  const event = {
    time: '',
    rev: '3zzzzzzzzzzzz' as Tid,
    commit: cid,
    ops: [],
    proof: Buffer.of(1),
  };
  const commit = { seq: 7, did, event, records: new Map() };
  const frame = new CommitFrames([commit]).frame(commit);
  expect(frame.body).toMatchObject({ seq: 7, did, commit: parseCid(cid), ops: [] });
  expect([frame.header.op, frame.header.t]).toEqual([1, '#commit']);
});
