import { type EmbeddedDatabase, startEmbeddedPostgres } from '@stratos/prisma';
import {
  type DataFolder,
  DEFAULT_DATA_FOLDER,
  openDataFolder,
  temporaryDataPath,
} from './data-folder.ts';
import { lockFolder } from './folder-lock.ts';
import { freePorts, type Ports, portsFromEnvironment, requireFreePorts } from './ports.ts';
import { type Report, silentReport } from './report.ts';
import type { NetworkPlan } from './service-definitions.ts';
import { topologyOf } from './topology.ts';

export interface GroundOptions {
  /** Where the data is kept; `data/local` of the project unless told. */
  readonly dataDir?: string;
  /** Keeps nothing: a new folder that is removed at the end. */
  readonly ephemeral?: boolean;
  /** Removes what earlier starts left in the folder. */
  readonly fresh?: boolean;
  /** `free` for ports that nobody uses; without it they come from the environment. */
  readonly ports?: 'free' | Ports;
  readonly env?: NetworkPlan['env'];
  readonly report?: Report;
}

/** What services stand on: a data folder of ours alone, a Postgres in it, and the plan of the network. */
export interface Ground extends AsyncDisposable {
  readonly plan: NetworkPlan;
}

const PLC_DATABASE = 'plc';
const APPVIEW_DATABASE = 'appview';

/** Throws PortError when a port is taken and FolderInUseError when the folder is, before anything starts. */
export async function openGround(options: GroundOptions = {}): Promise<Ground> {
  const report = options.report ?? silentReport;
  const ports = await choosePorts(options.ports);
  await using stack = new AsyncDisposableStack();

  const folder = await openFolder(options, stack);
  await requireFreePorts(ports);
  const postgres = await report.step(`Postgres on port ${ports.postgres}`, () =>
    startPostgres(folder, ports, options.ephemeral ?? false),
  );
  stack.use(postgres);

  const owned = stack.move();
  return {
    plan: {
      ports,
      topology: topologyOf(ports),
      folder,
      plcDatabaseUrl: postgres.url(PLC_DATABASE),
      databaseUrl: postgres.url(APPVIEW_DATABASE),
      env: options.env ?? {},
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function choosePorts(ports: GroundOptions['ports']): Promise<Ports> {
  if (ports === 'free') return freePorts();
  return ports ?? portsFromEnvironment(process.env);
}

async function openFolder(
  options: GroundOptions,
  stack: AsyncDisposableStack,
): Promise<DataFolder> {
  const path = options.ephemeral
    ? await temporaryDataPath()
    : (options.dataDir ?? DEFAULT_DATA_FOLDER);
  const folder = await openDataFolder(path, !options.ephemeral);
  if (options.ephemeral) stack.defer(() => folder.remove());
  stack.use(await lockFolder(path));
  if (!options.fresh || options.ephemeral) return folder;
  await folder.clear();
  return openDataFolder(path);
}

async function startPostgres(
  folder: DataFolder,
  ports: Ports,
  ephemeral: boolean,
): Promise<EmbeddedDatabase> {
  const postgres = await startEmbeddedPostgres({
    dataDir: folder.postgres,
    port: ports.postgres,
    persistent: !ephemeral,
  });
  await postgres.createDatabase(PLC_DATABASE);
  await postgres.createDatabase(APPVIEW_DATABASE);
  return postgres;
}
