import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@stratos/protocol/environment';
import { zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { postRecord, SWORDSMITH, TestNode, TestPerson, testConfig } from '../testing/test-node.ts';
import { loadRecordLexicons } from './record-lexicons.ts';

const post = zone.stratos.feed.post.$nsid;
const like = 'zone.stratos.feed.like';
const boundaries = 'zone/stratos/boundary/defs.json';
const rei = TestPerson.named('rei');

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stratos-lexicons-'));
});
afterEach(() => rm(dir, { recursive: true }));

function recordLexicon(id: string) {
  const properties = {
    boundary: { type: 'ref', ref: 'zone.stratos.boundary.defs#Domains' },
    stars: { type: 'integer', minimum: 1, maximum: 5 },
  };
  const record = { type: 'object', required: ['stars', 'boundary'], properties };
  return { lexicon: 1, id, defs: { main: { type: 'record', key: 'tid', record } } };
}

async function write(name: string, document: unknown): Promise<void> {
  await mkdir(join(dir, name, '..'), { recursive: true });
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  await writeFile(join(dir, name), text);
}

async function writeBoundaries(): Promise<void> {
  const path = new URL(`../../../lexicons/${boundaries}`, import.meta.url);
  await write(boundaries, await readFile(path, 'utf8'));
}

it('checks records by the lexicons of the operator', async () => {
  await writeBoundaries();
  await write('feed/like.json', recordLexicon(like));
  await write('README.md', 'no lexicon');
  await using node = await TestNode.start({ people: [rei], env: { STRATOS_LEXICON_DIR: dir } });
  await node.enroll(rei, [SWORDSMITH]);
  const { text, ...rest } = postRecord('');
  const save = async (stars: number | undefined, more = {}) => {
    const record = { ...rest, $type: like, stars };
    const response = await node.tryPost(rei, record, { collection: like, ...more });
    const { validationStatus, error } = await response.json();
    return validationStatus ?? error;
  };
  expect(await save(3)).toBe('valid');
  expect(await save(3, { validate: true })).toBe('valid');
  expect(await save(6)).toBe('InvalidRecord');
  expect(await save(undefined)).toBe('InvalidRecord');
  expect(await save(6, { validate: false })).toBe('unknown');
  expect(await save(3, { rkey: 'not-a-tid' })).toBe('InvalidRequest');
});

it('takes up nothing that is not kept here, and leaves its own lexicons as they are', async () => {
  await writeBoundaries();
  await write('post.json', recordLexicon(post));
  await write('enrollment.json', recordLexicon(zone.stratos.actor.enrollment.$nsid));
  await write('foreign.json', recordLexicon('app.bsky.feed.like'));
  const lexicons = await loadRecordLexicons(dir);
  expect([...lexicons.keys()]).toEqual([post]);
  expect(lexicons.get(post)).toBe(zone.stratos.feed.post.main);
  expect([...(await loadRecordLexicons(undefined)).keys()]).toEqual([post]);
});

it.each([
  ['no JSON', 'broken.json', '{'],
  ['no lexicon', 'broken.json', { id: like }],
  ['a reference to what is not there', like, recordLexicon(like)],
])('says which document is %s, and does not start', async (_, name, document) => {
  await write('broken.json', document);
  const starting = loadRecordLexicons(dir);
  await expect(starting).rejects.toThrow(ConfigError);
  await expect(starting).rejects.toThrow(`STRATOS_LEXICON_DIR: ${name}: `);
  const env = { STRATOS_LEXICON_DIR: dir };
  await expect(TestNode.start({ env })).rejects.toThrow(ConfigError);
});

it('does not choose between two documents of one name', async () => {
  await writeBoundaries();
  await write('one.json', recordLexicon(like));
  await write('two.json', recordLexicon(like));
  await expect(loadRecordLexicons(dir)).rejects.toThrow(`two.json: ${like} is there twice`);
});

it('does not start without the folder', async () => {
  const { lexiconDir } = testConfig(dir, { STRATOS_LEXICON_DIR: join(dir, 'absent') });
  await expect(loadRecordLexicons(lexiconDir)).rejects.toThrow('STRATOS_LEXICON_DIR is no folder');
});
