import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type ConcreteRequest,
  createOperationDescriptor,
  Environment,
  fetchQuery,
  getPaginationMetadata,
  getPaginationVariables,
  getSelector,
  Network,
  type ReaderFragment,
  RecordSource,
  Store,
} from 'relay-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JudgedGateway, startJudgedGateway, TEXTS } from './judged-gateway.ts';

const ROOT = join(import.meta.dirname, '../..');

let gateway: JudgedGateway;
let folder: string;
let query: ConcreteRequest;
let refetched: ConcreteRequest;
let fragment: ReaderFragment;
beforeAll(async () => {
  gateway = await startJudgedGateway();
  folder = await mkdtemp(join(tmpdir(), 'stratos-relay-'));
  await compile();
  query = await artifact('timelineQuery');
  refetched = await artifact('timelinePageQuery');
  fragment = await artifact('timeline_page');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await gateway[Symbol.asyncDispose]();
});

/** What the compiler makes of a document, with our schema. */
async function compile(): Promise<void> {
  const source = join(folder, 'src');
  await mkdir(join(source, '__generated__'), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await cp(join(ROOT, 'schema/schema.graphql'), join(folder, 'schema.graphql'));
  await cp(join(import.meta.dirname, 'relay/timeline.js'), join(source, 'timeline.js'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const config = {
    src: './src',
    schema: './schema.graphql',
    language: 'javascript',
    eagerEsModules: true,
    excludes: [],
  };
  await writeFile(join(folder, 'relay.config.json'), JSON.stringify(config));
  const compiler = join(ROOT, 'node_modules/relay-compiler/cli.js');
  await promisify(execFile)(process.execPath, [compiler, 'relay.config.json'], { cwd: folder });
}

async function artifact<T>(name: string): Promise<T> {
  return (await import(join(folder, 'src/__generated__', `${name}.graphql.js`))).default;
}

function openEnvironment(): Environment {
  return new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(async ({ text }, variables) => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...gateway.authorization },
        body: JSON.stringify({ query: text, variables }),
      });
      return response.json();
    }),
  });
}

interface Timeline {
  timeline: { edges: { node: { text: string } }[]; pageInfo: object };
}

/** A page in the store, to which the ones around it are added. */
class Paging {
  readonly #environment = openEnvironment();
  readonly #operation;

  constructor(variables: Record<string, unknown>) {
    this.#operation = createOperationDescriptor(query, variables);
  }

  async begin(): Promise<void> {
    await fetchQuery(this.#environment, query, this.#operation.request.variables).toPromise();
  }

  get data(): Timeline {
    const { data } = this.#environment.lookup(this.#operation.fragment);
    const selector = getSelector(fragment, data as never);
    if (selector?.kind !== 'SingularReaderSelector') throw new Error('there is no fragment');
    return this.#environment.lookup(selector).data as unknown as Timeline;
  }

  get texts(): string[] {
    return this.data.timeline.edges.map(({ node }) => node.text);
  }

  async load(direction: 'forward' | 'backward', count: number, cursor: string): Promise<void> {
    const { paginationMetadata } = getPaginationMetadata(fragment, 'judge');
    const variables = getPaginationVariables(
      direction,
      count,
      cursor,
      this.#operation.request.variables,
      {},
      paginationMetadata,
    );
    await fetchQuery(this.#environment, refetched, variables).toPromise();
  }
}

test('the compiler takes the schema', () => {
  expect(query.params.text).toContain('timeline(first: $first');
});

test('pages are added to a connection at its end', async () => {
  const paging = new Paging({ first: 5 });
  await paging.begin();
  expect(paging.texts).toEqual(TEXTS.slice(0, 5));
  for (const seen of [10, 12]) {
    const { endCursor, hasNextPage } = Object(paging.data.timeline.pageInfo);
    expect(hasNextPage).toBe(true);
    await paging.load('forward', 5, endCursor);
    expect(paging.texts).toEqual(TEXTS.slice(0, seen));
  }
  expect(paging.data.timeline.pageInfo).toMatchObject({ hasNextPage: false });
});

test('pages are added to a connection at its beginning', async () => {
  const paging = new Paging({ last: 5 });
  await paging.begin();
  expect(paging.texts).toEqual(TEXTS.slice(7));
  for (const seen of [2, 0]) {
    const { startCursor, hasPreviousPage } = Object(paging.data.timeline.pageInfo);
    expect(hasPreviousPage).toBe(true);
    await paging.load('backward', 5, startCursor);
    expect(paging.texts).toEqual(TEXTS.slice(seen));
  }
  expect(paging.data.timeline.pageInfo).toMatchObject({ hasPreviousPage: false });
});
