import { procedure } from '../http/xrpc.ts';
import type { Session } from '../session/session.ts';

/**
 * Leaves the node of the session. From then on others read nothing of the person there. For some time, thirty
 * days unless the operator says otherwise, the session still reads and exports what they wrote, and they find
 * all of it again when they enroll again.
 *
 * @throws `RefusedError` `NotEnrolled`, `UnreachableError`
 * @example
 * await unenroll(leaving);
 */
export async function unenroll(session: Session): Promise<void> {
  await procedure(session, 'zone.stratos.enrollment.unenroll', { json: {} });
}
