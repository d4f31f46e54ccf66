import { statementsOf } from '@stratos/prisma/testing';
import { type Did, toBoundary, toDid } from '@stratos/protocol';
import { buildGraphqlSchema } from '@stratos/schema';
import fc, { type GeneratorValue } from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  getNamedType,
  getOperationAST,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  parse,
  validate,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../testing/over-graphql.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import type { WrittenPost } from '../testing/world.ts';
import { queryCost } from './query-cost.ts';

const SEARCH_MS = 10_000;
const MAX_DEPTH = 12;
const FEW = { min: 1, max: 3 };
/** Statements that a field takes at most, whatever it is of and however many there are of it. */
const STATEMENTS_PER_FIELD = 2;
/** Of what watches for changes, which goes on beside all queries. */
const LIVE = /^select stratos_change|^select stratos_node$/;

const schema = buildGraphqlSchema();
const node = toDid('did:web:node.test');
const open = toBoundary(`${node}/open`);

let gateway: TestGateway;
let author: Did;
let token: string;
let posts: WrittenPost[];
beforeAll(async () => {
  gateway = await startTestGateway();
  const { world, people } = gateway;
  const viewer = people.add('viewer');
  author = people.add('author').did;
  await world.node(node);
  await world.actor(author, { handle: 'author.test' });
  for (const did of [viewer.did, author]) await world.member(did, node, [open]);
  posts = [];
  for (let i = 0; i < 60; i++) {
    const [parent, quote] = [posts.at(-1 - (i % 3)), posts.at(-1 - (i % 5))];
    const facts = { author, node, boundaries: [open], rkey: `post${i}`, text: `word ${i}` };
    posts.push(await world.post({ ...facts, parent, quote }));
  }
  token = await gateway.session(viewer);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** Any query of the schema in which all pages are of the size `$n`. */
function anyQuery(draw: GeneratorValue): string {
  const query = schema.getQueryType();
  if (!query) throw new Error('the schema has no queries');
  const count = draw(fc.integer, FEW);
  const roots = Array.from(
    { length: count },
    (_, i) => `r${i}: ${anyField(draw, query, MAX_DEPTH - 1)}`,
  );
  return `query ($n: Int) { timeline(first: $n) { __typename } ${roots.join(' ')} }`;
}

function anyField(draw: GeneratorValue, type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).filter(
    (field) => depth > 1 || !isCompositeType(getNamedType(field.type)),
  );
  // A connection has nothing but types in it.
  return fields.length > 0 ? written(draw, pick(draw, fields), depth) : '__typename';
}

function written(
  draw: GeneratorValue,
  { name, args, type }: GraphQLField<unknown, unknown>,
  depth: number,
): string {
  const given = args.flatMap((arg) => {
    const value = argumentOf(draw, arg);
    return value === undefined ? [] : [`${arg.name}: ${value}`];
  });
  const call = given.length > 0 ? `${name}(${given.join(', ')})` : name;
  const of = getNamedType(type);
  if (!isCompositeType(of)) return call;
  if (isInterfaceType(of)) return `${call} { ... on Post { uri text } }`;
  if (!isObjectType(of)) return `${call} { __typename }`;
  const width = draw(fc.integer, FEW);
  const names = new Map<string, string>();
  for (let i = 0; i < width; i++) {
    const field = anyField(draw, of, depth - 1);
    names.set(field.match(/^\w+/)?.[0] ?? '', field);
  }
  return `${call} { ${[...names.values()].join(' ')} }`;
}

/** By its place, because what is drawn from is compared each time. */
function pick<T>(draw: GeneratorValue, list: readonly T[]): T {
  const found = list[draw(fc.nat, list.length - 1)];
  if (found === undefined) throw new Error('there is nothing to choose from');
  return found;
}

function argumentOf(draw: GeneratorValue, arg: GraphQLArgument): string | undefined {
  const post = () => pick(draw, posts);
  const values: Record<string, () => string> = {
    uri: () => JSON.stringify(String(arg.type).startsWith('Boundary') ? open : post().uri),
    uris: () => JSON.stringify([post().uri, post().uri]),
    boundary: () => JSON.stringify(open),
    actor: () => JSON.stringify(pick(draw, [author, 'author.test', 'nobody.test'])),
    did: () => JSON.stringify(node),
    text: () => '"word"',
    id: () => JSON.stringify(Buffer.from(`Post:${node} ${post().uri}`).toString('base64url')),
    first: () => '$n',
  };
  const isGiven = isRequiredArgument(arg) || arg.name === 'first' || draw(fc.boolean);
  return isGiven ? values[arg.name]?.() : undefined;
}

function costOf(source: string, n: number): number {
  const document = parse(source);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return queryCost({ schema, document, operation, variables: { n } });
}

async function ask(query: string, n: number) {
  let body = '';
  const transactions = await statementsOf(async () => {
    ({ body } = await graphql(gateway.url, token, query, { n }));
  });
  const asked = transactions.filter(([first = '']) => !LIVE.test(first)).flat();
  return { answer: JSON.parse(body), statements: asked.length };
}

test('no query that passes takes more statements than its fields account for, and none that does not any', async () => {
  let passed = 0;
  const property = fc.asyncProperty(fc.gen(), fc.constantFrom(1, 5, 30, 100), async (draw, n) => {
    const query = anyQuery(draw);
    expect(validate(schema, parse(query)), query).toEqual([]);
    const cost = costOf(query, n);
    const { answer, statements } = await ask(query, n);
    const code = answer.errors?.[0].extensions.code;
    if (answer.data === undefined) {
      expect([code, statements], query).toEqual(['QUERY_TOO_COMPLEX', 0]);
      return;
    }
    expect(cost).toBeLessThanOrEqual(gateway.config.limits.queryCost);
    const fields = costOf(query, 1);
    passed += 1;
    expect(statements, `${query} with pages of ${n}`).toBeLessThanOrEqual(
      STATEMENTS_PER_FIELD * fields,
    );
  });
  await fc.assert(property, {
    numRuns: 2_000,
    interruptAfterTimeLimit: SEARCH_MS,
    endOnFailure: true,
  });
  expect(passed).toBeGreaterThan(20);
});
