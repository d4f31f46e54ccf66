import { describe, expect, it } from 'vitest';
import { parseStartArguments, parseTokenArguments, UsageError } from './arguments.ts';

describe('parseStartArguments', () => {
  it('keeps the data of earlier starts unless told otherwise', () => {
    expect(parseStartArguments([])).toMatchObject({ fresh: false, ephemeral: false, help: false });
    expect(parseStartArguments(['--fresh'])).toMatchObject({ fresh: true, ephemeral: false });
    expect(parseStartArguments(['--ephemeral'])).toMatchObject({ fresh: false, ephemeral: true });
  });

  it('refuses what it does not know, and says what it knows', () => {
    expect(() => parseStartArguments(['--frsh'])).toThrow(UsageError);
    expect(() => parseStartArguments(['--frsh'])).toThrow(/--ephemeral/);
    expect(() => parseStartArguments(['fresh'])).toThrow(UsageError);
  });
});

describe('parseTokenArguments', () => {
  it('asks for a session of the gateway', () => {
    expect(parseTokenArguments(['rei.test'])).toEqual({ handle: 'rei.test' });
  });

  it('asks for a token of the PDS', () => {
    expect(parseTokenArguments(['rei.test', '--service-auth'])).toEqual({
      handle: 'rei.test',
      serviceAuth: {},
    });
    expect(
      parseTokenArguments(['--service-auth', '--lxm', 'a.b.c', 'rei.test', '--aud', 'did:web:x']),
    ).toEqual({ handle: 'rei.test', serviceAuth: { lxm: 'a.b.c', audience: 'did:web:x' } });
  });

  it.each([
    [[]],
    [['rei.test', 'mika.test']],
    [['rei.test', '--lxm', 'a.b.c']],
    [['rei.test', '--aud', 'did:web:x']],
    [['rei.test', '--service-auth', '--lxm']],
  ])('refuses %j', (args) => {
    expect(() => parseTokenArguments(args)).toThrow(UsageError);
  });
});
