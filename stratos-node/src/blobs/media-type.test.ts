import fc from 'fast-check';
import { expect, it } from 'vitest';
import { picture } from '../testing/test-blobs.ts';
import { isMediaTypeIn, mediaTypeOf } from './media-type.ts';

const bytes = (text: string, encoding: BufferEncoding = 'latin1') => Buffer.from(text, encoding);

it.each([
  ['image/png', picture('a')],
  ['image/jpeg', bytes('\xff\xd8\xff\xe0\x00\x10JFIF\x00')],
  ['image/gif', bytes('GIF89a\x01\x00\x01\x00')],
  ['image/webp', bytes('RIFF\x10\x00\x00\x00WEBPVP8 ')],
  ['video/mp4', bytes('\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isom')],
  ['audio/mpeg', bytes(`ID3\x03\x00\x00\x00\x0f\x7f\x7f${'\x00'.repeat(4_000)}`)],
  ['audio/ogg', bytes(`OggS\x00\x02${'\x00'.repeat(20)}\x01\x13OpusHead\x01`)],
  ['application/pdf', bytes('%PDF-1.7\n')],
  ['text/plain', bytes('a sword, drawn\n')],
  ['text/plain', bytes('剣を抜く', 'utf8')],
  ['text/plain', bytes('剣'.repeat(2_000), 'utf8').subarray(0, 4_100)],
  ['text/plain', bytes('a < b')],
])('knows %s', async (type, head) => {
  expect(await mediaTypeOf(head)).toBe(type);
});

it.each([
  ['HTML', '<!DOCTYPE html><script>alert(1)</script>'],
  ['HTML after space', ' \n\t<HTML>'],
  ['HTML after a byte order mark', '\ufeff<html>'],
  ['an element', '<script>alert(1)</script>'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
  ['SVG with a declaration', '<?xml version="1.0"?><svg onload="alert(1)"/>'],
  ['XML', '<?xml version="1.0"?><a/>'],
  ['RSS', '<?xml version="1.0"?><rss version="2.0"></rss>'],
  ['a comment', '<!-- --><script>alert(1)</script>'],
])('takes %s for opaque', async (_what, text) => {
  expect(await mediaTypeOf(bytes(text, 'utf8'))).toBe('application/octet-stream');
});

it('takes what it does not know for opaque', async () => {
  expect(await mediaTypeOf(bytes('\x00\x01\x02\x03 <script>'))).toBe('application/octet-stream');
  expect(await mediaTypeOf(bytes('\xff\xfe<\x00s\x00'))).toBe('application/octet-stream');
});

it('never says of anything that a browser could run it', async () => {
  const start = fc.constantFrom('', '<', '<svg', '<?xml version="1.0"?><svg', '<html', '%PDF');
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), async (text, rest) => {
      const type = await mediaTypeOf(Buffer.concat([bytes(text), rest]));
      expect(type).toMatch(/^[a-z]+\/[a-z0-9.+-]+$/);
      expect(type).not.toMatch(/html|xml|svg|script/);
    }),
  );
});

it('finds types in lists', () => {
  expect(isMediaTypeIn(['image/*', 'text/plain'], 'image/png')).toBe(true);
  expect(isMediaTypeIn(['image/*', 'text/plain'], 'text/plain')).toBe(true);
  expect(isMediaTypeIn(['*/*'], 'application/octet-stream')).toBe(true);
  expect(isMediaTypeIn(['image/*'], 'imagery/png')).toBe(false);
  expect(isMediaTypeIn(['text/plain'], 'text/plainer')).toBe(false);
  expect(isMediaTypeIn([], 'image/png')).toBe(false);
});
