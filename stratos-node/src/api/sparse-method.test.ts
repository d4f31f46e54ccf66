import { l } from '@atproto/lex-schema';
import { com } from '@stratos/protocol/lexicons';
import { expect, it, vi } from 'vitest';
import { sparseMethod } from './sparse-method.ts';

const place = { repo: 'rei.example', collection: 'zone.stratos.feed.post' };

it.each([
  {},
  place,
  { ...place, limit: '3', cursor: 'a', reverse: 'true' },
  { ...place, limit: '101' },
  { ...place, limit: 'three' },
  { ...place, reverse: '1' },
  { ...place, other: '1' },
])('takes of a query what the method does: %j', (query) => {
  const { main } = com.atproto.repo.listRecords;
  const taken = ({ parameters }: l.Query | l.Procedure) =>
    outcomeOf(() => parameters.fromURLSearchParams(Object.entries(query)));
  expect(taken(sparseMethod(main))).toEqual(taken(main));
});

it.each([
  {},
  { ...place, record: {} },
  { ...place, record: {}, rkey: 'a', validate: true },
  { ...place, record: {}, rkey: '/' },
  { ...place, record: {}, swapCommit: null },
  [],
])('takes of a body what the method does: %j', (body) => {
  const { main } = com.atproto.repo.createRecord;
  expect(outcomeOf(() => parsed(sparseMethod(main), body))).toEqual(
    outcomeOf(() => parsed(main, body)),
  );
});

it('asks nothing of what is left out', () => {
  const asked = vi.fn();
  const isText = (input: unknown): input is string => {
    asked(input);
    return typeof input === 'string';
  };
  const body = l.jsonPayload({ optional: l.optional(l.custom(isText, 'Expected a text')) });
  const method = sparseMethod(l.procedure('zone.stratos.test.x', l.params(), body, l.payload()));
  expect(parsed(method, {})).toEqual({});
  expect(asked).not.toHaveBeenCalled();
  expect(parsed(method, { optional: 'there' })).toEqual({ optional: 'there' });
  expect(asked).toHaveBeenCalledOnce();
});

function parsed(method: l.Query | l.Procedure, body: unknown): unknown {
  return method.type === 'procedure' ? method.input.schema?.parse(body) : undefined;
}

function outcomeOf(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    return error;
  }
}
