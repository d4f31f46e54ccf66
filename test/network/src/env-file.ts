/** The text of a file for `node --env-file`. Throws when a value cannot be written in one. */
export function formatEnvFile(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${quote(name, value)}\n`)
    .join('');
}

function quote(name: string, value: string): string {
  if (/^[\w./:%@,+=?&-]*$/.test(value)) return value;
  const mark = ["'", '"', '`'].find((candidate) => !value.includes(candidate));
  if (!mark || value.includes('\n')) throw new Error(`${name} cannot be written to an env file`);
  return `${mark}${value}${mark}`;
}
