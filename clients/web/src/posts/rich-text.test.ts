import { expect, test } from 'vitest';
import { richText } from './rich-text.ts';

const NOTHING = { mention: null, link: null, tag: null };

test('is cut by bytes', () => {
  const text = '🔨 a.example #steel!';
  const facets = [
    { byteStart: 5, byteEnd: 14, ...NOTHING, link: 'https://a.example/' },
    { byteStart: 15, byteEnd: 21, ...NOTHING, tag: 'steel' },
  ];
  expect(richText({ text, facets })).toEqual([
    { text: '🔨 ', href: undefined, isElsewhere: false },
    { text: 'a.example', href: 'https://a.example/', isElsewhere: true },
    { text: ' ', href: undefined, isElsewhere: false },
    { text: '#steel', href: '#/search?text=steel', isElsewhere: false },
    { text: '!', href: undefined, isElsewhere: false },
  ]);
});

test('without facets is one part, and nothing has none', () => {
  expect(richText({ text: 'Plain.', facets: [] })).toHaveLength(1);
  expect(richText({ text: '', facets: [] })).toEqual([]);
});
