import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createVitest, type Vitest } from 'vitest/node';
import { PrivateCopy } from '../private-copy.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutant-list.ts';

const USAGE = `npm run protection:mutants -- [--only TEXT]

Takes each rule of signing in, of tokens and of what may be asked out of a copy of the gateway, one after the
other, and runs the tests that are about it. Fails when they pass all the same.`;

const ROOMS = ['lexicons', 'protocol', 'prisma', 'schema', 'gateway', 'test'];
const ROOT = resolve(import.meta.dirname, '../..');

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) console.log(USAGE);
else process.exitCode = (await survivors()) > 0 ? 1 : 0;

async function survivors(): Promise<number> {
  await using copy = await PrivateCopy.make(ROOMS);
  for (const file of ['package.json', 'vitest.config.ts']) {
    await cp(join(ROOT, file), copy.path(file));
  }
  await using tests = await openTests(copy.path('.'));
  const mutants = MUTANTS.filter(({ rule }) => rule.includes(values.only));
  const all = [...new Set(mutants.flatMap(({ tests: each }) => each))];
  const failing = await failureIn({ rule: 'nothing', edits: [], tests: all }, { copy, tests });
  if (failing) throw new Error(`fails as it is: ${failing}`);
  let survived = 0;
  for (const mutant of mutants) {
    const test = await failureIn(mutant, { copy, tests });
    if (test === undefined) survived += 1;
    const outcome = test === undefined ? 'SURVIVED' : 'caught';
    console.log(`${outcome.padEnd(10)}without: ${mutant.rule}`);
    if (test !== undefined) console.log(`${' '.repeat(10)}by: ${test}`);
  }
  return survived;
}

/** The tests of a copy, which are kept ready to be run again. */
async function openTests(root: string): Promise<{ vitest: Vitest } & AsyncDisposable> {
  const options = { root, project: ['unit'], watch: false, bail: 1, reporters: [] };
  const vitest = await createVitest('test', options);
  return { vitest, [Symbol.asyncDispose]: () => vitest.close() };
}

/** The first test that fails; undefined when all pass. */
async function failureIn(
  { rule, edits, tests: filters }: Mutant,
  { copy, tests: { vitest } }: { copy: PrivateCopy; tests: { vitest: Vitest } },
): Promise<string | undefined> {
  await using undo = new AsyncDisposableStack();
  for (const edit of edits) {
    const restore = await copy.edit(edit);
    const forget = () => vitest.invalidateFile(copy.path(edit[0]));
    undo.defer(forget);
    undo.defer(restore);
    forget();
  }
  const specifications = await vitest.globTestSpecifications([...filters]);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  // @NOTE what is given are the modules of this run and of all before
  const files = new Set(specifications.map(({ moduleId }) => moduleId));
  const modules = testModules.filter(({ moduleId }) => files.has(moduleId));
  for (const module of modules) {
    for (const { name } of module.children.allTests('failed')) return name;
  }
  const broken = modules.find((module) => !module.ok());
  if (!broken && unhandledErrors.length === 0) return undefined;
  const errors = [...(broken?.errors() ?? []), ...unhandledErrors];
  throw new Error(`no test runs without '${rule}'`, { cause: errors[0] });
}
