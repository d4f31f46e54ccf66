import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { DiffTarget, MigrationList } from '@prisma/schema-engine-wasm';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import { Pool } from 'pg';

const NO_FILTERS = { externalTables: [], externalEnums: [] };

let loading: Promise<void> | undefined;

/** Prisma's schema engine as WebAssembly: no binary that an install would have to download. */
export async function openSchemaEngine(databaseUrl: string) {
  loading ??= instantiate();
  await loading;
  // The engine takes an advisory lock and never gives it back: the end of its connections must.
  const pool = new Pool({ connectionString: databaseUrl });
  const factory = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
  const schemaEngine = await engine.SchemaEngine.new({ datamodels: undefined }, () => {}, factory);

  return {
    async apply(migrationsList: MigrationList): Promise<string[]> {
      const applied = await schemaEngine.applyMigrations({ migrationsList, filters: NO_FILTERS });
      return applied.appliedMigrationNames;
    },
    /** SQL that leads from one schema text (undefined: an empty database) to another. */
    async diff(from: string | undefined, to: string): Promise<string> {
      const result = await schemaEngine.diff({
        from: from === undefined ? { tag: 'empty' } : schemaTarget(from),
        to: schemaTarget(to),
        script: true,
        exitCode: null,
        filters: NO_FILTERS,
      });
      return result.stdout ?? '';
    },
    async [Symbol.asyncDispose]() {
      schemaEngine.free();
      await pool.end();
    },
  };
}

/**
 * Sends a migration as one query, thus in one transaction. The adapter's own way is to cut it at every
 * semicolon, even within a function.
 */
class WholeScripts extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (sql) => {
      await adapter.executeRaw({ sql, args: [], argTypes: [] });
    };
    return adapter;
  }
}

function schemaTarget(content: string): DiffTarget {
  return { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] };
}

async function instantiate(): Promise<void> {
  const glue = createRequire(import.meta.url).resolve(
    '@prisma/schema-engine-wasm/schema_engine_bg',
  );
  const module = await WebAssembly.compile(await readFile(glue.replace(/\.js$/, '.wasm')));
  const imports = { './schema_engine_bg.js': engine as unknown as WebAssembly.ModuleImports };
  const { exports } = await WebAssembly.instantiate(module, imports);
  engine.__wbg_set_wasm(exports);
  (exports['__wbindgen_start'] as () => void)();
}
