/** Hears what a network does while it starts and runs. */
export interface Report {
  /** A step begins; it is done, or has failed, when `work` is. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** Something happened that a person should know. */
  warn(message: string): void;
}

/** For networks that nobody watches. */
export const silentReport: Report = {
  step: (_title, work) => work(),
  warn() {},
};
