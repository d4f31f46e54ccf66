import { expect, test } from 'vitest';
import { answering } from '../testing/answers.ts';
import { createDidResolver } from './did-resolver.ts';
import { findPerson } from './find-person.ts';
import { createHandleResolver, isHandle } from './handle-resolver.ts';

const REI = 'did:plc:reireireireireireireirei';
const plcUrl = 'https://plc.example';
const pds = 'https://pds.example';

function world(claimed: string, named: Record<string, string>) {
  const service = [{ id: '#atproto_pds', serviceEndpoint: pds }];
  const { fetch, asked } = answering({
    [`${plcUrl}/${REI}`]: { id: REI, alsoKnownAs: [`at://${claimed}`], service },
    [`${pds}/xrpc/com.atproto.identity.resolveHandle`]: ({ url }) => {
      const did = named[new URL(url).searchParams.get('handle') ?? ''];
      return did ? Response.json({ did }) : Response.json({ error: 'x' }, { status: 400 });
    },
  });
  const handles = createHandleResolver({ service: pds, fetch });
  return { dids: createDidResolver({ plcUrl, fetch }), handles, asked };
}

test('finds somebody by handle and by DID', async () => {
  const names = world('rei.test', { 'rei.test': REI });
  const rei = { did: REI, handle: 'rei.test', pds };
  expect(await findPerson('rei.test', names)).toEqual(rei);
  expect(await findPerson('@Rei.test', names)).toEqual(rei);
  expect(await findPerson(REI, names)).toEqual(rei);
  await expect(findPerson('nobody.test', names)).rejects.toMatchObject({ code: 'DidNotFound' });
});

test('shows no handle that only one side claims', async () => {
  const names = world('other.test', { 'rei.test': REI });
  expect(await findPerson('rei.test', names)).toMatchObject({ did: REI, handle: undefined });
});

test('asks nobody for what is no handle', async () => {
  const { handles, asked } = world('rei.test', {});
  expect(await handles('rei')).toBeUndefined();
  expect(await handles('rei.test/../x')).toBeUndefined();
  expect(asked).toEqual([]);
  expect(isHandle('a.b-c.test')).toBe(true);
  expect(isHandle('-a.test')).toBe(false);
});

test('does not take silence for an answer', async () => {
  const fetch = async () => new Response('', { status: 502 });
  const handles = createHandleResolver({ service: pds, fetch });
  await expect(handles('rei.test')).rejects.toMatchObject({ code: 'Unreachable' });
});
