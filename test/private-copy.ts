import {
  access,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** What is to be found in a file, where it is once, and what is put there. */
export type Edit = readonly [file: string, find: string, put: string];

/** Some rooms in a folder of their own, which import each other and not the originals. */
export class PrivateCopy implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(rooms: readonly string[]): Promise<PrivateCopy> {
    const folder = await mkdtemp(join(tmpdir(), 'stratos-mutant-'));
    for (const room of rooms) await copyRoom(folder, room);
    const modules = join(folder, 'node_modules');
    await mkdir(join(modules, '@stratos'), { recursive: true });
    for (const name of await readdir(join(ROOT, 'node_modules'))) {
      if (name !== '@stratos') await symlink(join(ROOT, 'node_modules', name), join(modules, name));
    }
    for (const room of rooms) await symlink(join(folder, room), join(modules, '@stratos', room));
    return new PrivateCopy(folder);
  }

  path(file: string): string {
    return join(this.#folder, file);
  }

  /** Throws when what is to be found is not there, or more than once. Returns what undoes it. */
  async edit([file, find, put]: Edit): Promise<() => Promise<void>> {
    const path = this.path(file);
    const text = await readFile(path, 'utf8');
    if (text.split(find).length !== 2) throw new Error(`not there once in ${file}: '${find}'`);
    await writeFile(
      path,
      text.replace(find, () => put),
    );
    return () => writeFile(path, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function copyRoom(folder: string, room: string): Promise<void> {
  const filter = (path: string) => !path.endsWith('node_modules');
  await cp(join(ROOT, room), join(folder, room), { recursive: true, filter });
  const own = join(ROOT, room, 'node_modules');
  const hasOwn = await access(own).then(
    () => true,
    () => false,
  );
  if (hasOwn) await symlink(own, join(folder, room, 'node_modules'));
}
