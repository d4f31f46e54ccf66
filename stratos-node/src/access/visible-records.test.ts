import { encodeRecord, toAtUri } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { postRecord, SWORDSMITH, TestPerson, testConfig } from '../testing/test-node.ts';
import { readRecord } from './visible-records.ts';

const { did } = TestPerson.named('rei');
const uri = toAtUri(`at://${did}/${zone.stratos.feed.post.$nsid}/3l7777777772a`);
const record = postRecord('the post', [SWORDSMITH]);
const ctx = { config: testConfig('/nowhere'), logger: pino({ enabled: false }) };

it('reads a record, and none whose bytes are another', async () => {
  const { cid, bytes } = await encodeRecord(record);
  const row = { uri, cid, bytes };
  expect(await readRecord(ctx, row)).toEqual({ uri, cid, value: record, boundaries: [SWORDSMITH] });
  const rotten = Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
  expect(await readRecord(ctx, { ...row, bytes: rotten })).toBeUndefined();
  const other = await encodeRecord(postRecord('another post', [SWORDSMITH]));
  expect(await readRecord(ctx, { ...row, bytes: other.bytes })).toBeUndefined();
});
