export { DatabaseNotEmptyError, type GenerateOptions, generateDatabase } from './generate.ts';
export { findSubjects, type HotQuery, hotQueries, PAGE, type Subjects } from './hot-queries.ts';
export { type DatabaseSize, MILLION } from './options.ts';
export { type GeneratedViewer, VIEWERS } from './viewers.ts';
