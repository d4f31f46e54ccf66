import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const service = z.object({
  image: z.string().optional(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  env_file: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const compose = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()),
});

export type Compose = z.infer<typeof compose>;

/** A compose file as far as we use it. */
export async function readCompose(file: string): Promise<Compose> {
  return compose.parse(parse(await readFile(file, 'utf8'), { merge: true }));
}

/** The variables of a file as compose reads it. */
export async function readEnvFile(file: string): Promise<Record<string, string>> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => /^\w/.test(line));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Puts variables where a value asks for them. Throws when one that must be there is empty. */
export function interpolate(value: string, variables: Record<string, string>): string {
  return value.replaceAll(/\$\{(\w+)(:\?)?(?::-(.*?))?\}/g, (_, name, mustBe, otherwise = '') => {
    const found = variables[name] || otherwise;
    if (mustBe && !found) throw new Error(`${name} is not set`);
    return found;
  });
}
