import { describe, expect, it } from 'vitest';
import { toAtUri, toCid, toDid } from './identifiers.ts';
import { buildStub, parseStub } from './stub.ts';

const stub = {
  uri: toAtUri('at://did:plc:z72i7hdynmk6r22z27h6tvur/zone.stratos.feed.post/3kaaaaaaaaa2a'),
  cid: toCid('bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae'),
  nodeDid: toDid('did:web:stratos.example.com'),
};
const record = {
  $type: 'zone.stratos.feed.post',
  text: 'private words',
  boundary: { values: [{ value: 'did:web:stratos.example.com/fanart' }] },
  createdAt: '2024-01-15T12:00:00.000Z',
};

describe('stub', () => {
  it('says where the record is, and nothing of what is in it', () => {
    expect(buildStub({ ...stub, record })).toEqual({
      $type: 'zone.stratos.feed.post',
      source: {
        vary: 'authenticated',
        subject: { uri: stub.uri, cid: stub.cid },
        service: 'did:web:stratos.example.com#atproto_pns',
      },
      createdAt: '2024-01-15T12:00:00.000Z',
    });
  });

  it('is read back', () => {
    expect(parseStub(buildStub({ ...stub, record }))).toEqual(stub);
  });

  it.each([
    [record],
    [undefined],
    [{ source: 'elsewhere' }],
    [{ source: { vary: 'authenticated', service: 'x', subject: stub } }],
  ])('is not seen in %j', (value) => {
    expect(parseStub(value)).toBeUndefined();
  });
});
