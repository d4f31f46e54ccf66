import { execFile } from 'node:child_process';
import { cp, glob, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const PROJECT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** What a Dockerfile makes, in a folder instead of a container. */
export interface Image {
  /** The folder that stands for `/app`. */
  workdir: string;
  env: Record<string, string>;
  command: string[];
  healthCheck: string[];
}

interface Instruction {
  name: string;
  rest: string;
}

/**
 * Does the steps of a Dockerfile one by one, each stage in an empty folder. The context has what the
 * `.dockerignore` beside it leaves. Throws when a step fails, or a file that it names is missing.
 *
 * @param dockerfile - from the root of the project
 */
export async function buildImage(dockerfile: string, folder: string): Promise<Image> {
  const text = await readFile(join(PROJECT, dockerfile), 'utf8');
  const context = join(folder, 'context');
  await fillContext(`${dockerfile}.dockerignore`, context);
  const image: Image = { workdir: '', env: {}, command: [], healthCheck: [] };
  let stage = '';
  for (const { name, rest } of instructions(text)) {
    const place = (path: string) =>
      join(path.startsWith('/') ? join(folder, stage) : image.workdir, path);
    if (name === 'FROM') stage = / AS (\w+)$/.exec(rest)?.[1] ?? 'final';
    else if (name === 'WORKDIR') {
      image.workdir = join(folder, stage, rest);
      await mkdir(image.workdir, { recursive: true });
    } else if (name === 'ENV') Object.assign(image.env, Object.fromEntries(assignments(rest)));
    else if (name === 'COPY') {
      const [, from, source = '', target = ''] = /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(rest) ?? [];
      await copy(join(from ? join(folder, from) : context, source), place(target), target);
    } else if (name === 'RUN') {
      const here = rest
        .replaceAll(/(?<= )\/\w+/g, place)
        .replaceAll('node:node', `${process.getuid?.()}:${process.getgid?.()}`);
      await run('sh', ['-c', here], { cwd: image.workdir, maxBuffer: 10_000_000 });
    } else if (name === 'CMD') image.command = JSON.parse(rest);
    else if (name === 'HEALTHCHECK') image.healthCheck = JSON.parse(rest.replace(/^.*CMD /, ''));
    else if (!['USER', 'VOLUME', 'EXPOSE'].includes(name)) throw new Error(`${name}: not known`);
  }
  return image;
}

function instructions(text: string): Instruction[] {
  const lines = text.replaceAll(/\\\n\s*/g, '').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = ''] = line.split(' ', 1);
      return { name, rest: line.slice(name.length + 1) };
    });
}

function assignments(text: string): string[][] {
  return text.split(' ').map((assignment) => assignment.split('='));
}

/** Ours leave out everything, then take some of it back, then leave out some of that. */
async function fillContext(ignoreFile: string, context: string): Promise<void> {
  const lines = (await readFile(join(PROJECT, ignoreFile), 'utf8')).split('\n');
  const [everything, ...patterns] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (everything !== '**') throw new Error(`${ignoreFile} does not begin with **`);
  const wanted = patterns.filter((pattern) => pattern.startsWith('!'));
  const exclude = patterns.filter((pattern) => !pattern.startsWith('!'));
  for (const pattern of wanted) {
    for await (const entry of glob(pattern.slice(1), {
      cwd: PROJECT,
      exclude,
      withFileTypes: true,
    })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) await cp(path, join(context, path.slice(PROJECT.length)));
    }
  }
}

async function copy(source: string, place: string, target: string): Promise<void> {
  const into = target.endsWith('/');
  await mkdir(into ? place : dirname(place), { recursive: true });
  await run('cp', into ? ['-al', source, place] : ['-alT', source, place]);
}
