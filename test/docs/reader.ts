import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres } from '@stratos/prisma';
import { com } from '@stratos/protocol/lexicons';
import pg from 'pg';
import { graphql } from '../e2e/surfaces.ts';
import { freePorts, type LocalNetwork, PORTS, type Ports } from '../network/src/index.ts';
import type { CodeBlock } from './code-blocks.ts';
import { Shell } from './shell.ts';

const PROJECT = join(import.meta.dirname, '../..');
const HANDLE = 'rei.test';
const PORT_NAMES = Object.keys(PORTS) as (keyof Ports)[];
/** How the TypeScript of a page is checked. */
const PROGRAM = {
  extends: './tsconfig.json',
  compilerOptions: { noUnusedLocals: false },
  include: ['program.mts'],
};

/** Somebody who does what a page of the documentation says, in a folder like that of the project. */
export class Reader implements AsyncDisposable {
  readonly #network: LocalNetwork;
  readonly #ports: Ports;
  readonly #folder: string;
  readonly #shell: Shell;

  private constructor(network: LocalNetwork, ports: Ports, folder: string, shell: Shell) {
    this.#network = network;
    this.#ports = ports;
    this.#folder = folder;
    this.#shell = shell;
  }

  static async open(network: LocalNetwork, ports: Ports): Promise<Reader> {
    const folder = await mkdtemp(join(tmpdir(), 'stratos-docs-'));
    for (const name of await readdir(PROJECT)) {
      if (!name.startsWith('.')) await symlink(join(PROJECT, name), join(folder, name));
    }
    const variables = PORT_NAMES.map((name) => [PORTS[name].variable, String(ports[name])]);
    const { nodeA } = await freePorts();
    const shell = await Shell.open(folder, {
      ...process.env,
      ...Object.fromEntries(variables),
      // Of a node that the reader starts beside those of the network.
      STRATOS_PORT: String(nodeA),
      STRATOS_DATA_DIR: join(folder, 'own-node'),
    });
    return new Reader(network, ports, folder, shell);
  }

  /** Does what a block says. Throws when that fails. */
  async run({ code, file, language, isEndless }: CodeBlock): Promise<void> {
    const here = this.#here(code);
    if (file) await writeFile(join(this.#folder, file), here);
    else if (language === 'sh') await this.#runShell(here, isEndless);
    else if (language === 'graphql') await this.#runGraphql(here);
    else if (language === 'sql') await this.#runSql(here);
    else throw new Error(`Nobody knows how to run ${language}`);
  }

  /** Runs the TypeScript of a page, all of which is one program. */
  async runProgram(blocks: CodeBlock[]): Promise<void> {
    const { did: audience, url: node } = this.#network.topology.nodes.swordsmith;
    const { $lxm: lxm } = com.atproto.sync.getBlob;
    const known = Object.entries({
      node,
      did: this.#network.account(HANDLE).did,
      cid: (await this.#shell.run('printenv CID || true')).trim(),
      token: await this.#network.serviceAuth(HANDLE, { audience, lxm }),
      session: await this.#session(),
      uri: await this.#someUri(),
      image: { src: '' },
    }).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
    const lines = [...known, ...blocks.map(({ code }) => this.#here(code))];
    await writeFile(join(this.#folder, 'program.mts'), lines.join('\n'));
    await writeFile(join(this.#folder, 'program.json'), JSON.stringify(PROGRAM));
    await this.#shell.run('npx tsc --noEmit -p program.json && npx node program.mts');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  /** The addresses of the documentation as they are in this network. */
  #here(code: string): string {
    const places = Object.fromEntries(
      PORT_NAMES.map((name) => [PORTS[name].default, String(this.#ports[name])]),
    );
    const port = /(?<=(?:localhost|127\.0\.0\.1)(?::|%3A))\d+/g;
    return code.replace(port, (known) => places[known] ?? known);
  }

  async #runShell(code: string, isEndless: boolean): Promise<void> {
    const output = isEndless
      ? await this.#shell.runUntilStopped(code)
      : await this.#shell.run(code);
    if (/"errors?":/.test(output)) throw new Error(`It was answered: ${output}`);
  }

  async #runGraphql(query: string): Promise<void> {
    const isLive = query.startsWith('subscription');
    const variables = query.includes('$uri') ? { uri: await this.#someUri() } : {};
    const response = await fetch(`${this.#network.topology.gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await this.#session()}`,
        accept: isLive ? 'text/event-stream' : 'application/json',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query, variables }),
    });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (isLive && text.includes('"StreamOpened"')) break;
    }
    if (!response.ok || !text.includes('"data":') || text.includes('"errors":')) {
      throw new Error(`It was answered: ${text}`);
    }
  }

  /** On a server of its own. At a comment the indexer's tables are made, as it says. */
  async #runSql(code: string): Promise<void> {
    const dataDir = join(this.#folder, 'postgres');
    await using server = await startEmbeddedPostgres({ dataDir, port: 0, persistent: false });
    await using stack = new AsyncDisposableStack();
    const client = new pg.Client({ connectionString: server.url('postgres') });
    await client.connect();
    stack.defer(() => client.end());
    for (const [index, part] of code.split(/^--.*$/m).entries()) {
      if (index > 0) await migrate(indexerUrl(server.url('appview')));
      for (const statement of part.split(';')) await client.query(statement);
    }
  }

  async #session(): Promise<string> {
    return (await this.#network.gatewaySession(HANDLE)).token;
  }

  /** Of a post that the reader may see. */
  async #someUri(): Promise<string> {
    const query = '{ timeline(first: 1) { edges { node { uri } } } }';
    const { url } = this.#network.topology.gateway;
    const { text } = await graphql(url, await this.#session(), { query });
    return JSON.parse(text).data.timeline.edges[0].node.uri;
  }
}

/** The same database for the login that the page makes for the indexer. */
function indexerUrl(database: string): string {
  const url = new URL(database);
  [url.username, url.password] = ['indexer', '…'];
  return url.href;
}
