import { readdir, readFile } from 'node:fs/promises';

const MS_PER_TICK = 10;

/**
 * Milliseconds of the processor that the processes of a Postgres have used up to now; 0 where the system
 * does not tell, which is everywhere but on Linux.
 *
 * @param backend - the process of one of its connections
 */
export async function postgresCpu(backend: number): Promise<number> {
  const own = await timesOf(String(backend));
  if (!own) return 0;
  const all = await Promise.all((await readdir('/proc')).filter(isNumber).map(timesOf));
  return all
    .filter((times) => times?.pid === own.parent || times?.parent === own.parent)
    .reduce((sum, times) => sum + (times?.ticks ?? 0) * MS_PER_TICK, 0);
}

/** See proc_pid_stat(5); of those that have ended, their parent knows. */
async function timesOf(pid: string) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields) return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
  return { pid, parent: fields[1], ticks };
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}
