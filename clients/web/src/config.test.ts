import { readFile } from 'node:fs/promises';
import { SESSION_SCOPE } from '@stratos/client';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const read = async (name: string) =>
  JSON.parse(await readFile(new URL(`../public/${name}`, import.meta.url), 'utf8'));

test('is read as the example has it', async () => {
  const example = await read('config.json');
  expect(readConfig(example)).toMatchObject(example);
});

test('has no gateway, no app', () => {
  expect(() => readConfig({ gateway: { url: 'https://gateway.example.com' } })).toThrow(
    'no gateway',
  );
});

test('leaves out what is no DID and no text', () => {
  const gateway = { did: 'did:web:gateway.example.com', url: 'https://gateway.example.com' };
  const { nodes, accounts } = readConfig({
    gateway,
    nodes: ['node', 3],
    accounts: [null, 'rei.test'],
  });
  expect({ nodes, accounts }).toEqual({ nodes: [], accounts: ['rei.test'] });
});

test('asks a PDS for no more than sessions need', async () => {
  expect((await read('client-metadata.json')).scope).toBe(SESSION_SCOPE);
});
