import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Code in a doc comment. */
export interface Example {
  /** `file:line`. */
  place: string;
  code: string;
}

const EXAMPLE = /^ *\* @example\n((?: *\*(?!\/)(?! @).*\n)+)/gm;

/** What the doc comments of a folder have as examples. */
export async function examplesIn(folder: string): Promise<Example[]> {
  const files = await readdir(folder, { recursive: true });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts')).sort();
  const found = sources.map(async (file) => {
    const source = await readFile(join(folder, file), 'utf8');
    return [...source.matchAll(EXAMPLE)].map(({ index, 1: lines = '' }) => ({
      place: `${file}:${source.slice(0, index).split('\n').length}`,
      code: lines.replaceAll(/^ *\* ?/gm, ''),
    }));
  });
  return (await Promise.all(found)).flat();
}

/** Runs an example as a module does, with these names known to it. */
export async function runExample({ code }: Example, names: object): Promise<void> {
  const known = { ...names, console: { log() {} } };
  const AsyncFunction = runExample.constructor as FunctionConstructor;
  const body = `"use strict"; { ${code} }`;
  await AsyncFunction(...Object.keys(known), body)(...Object.values(known));
}
