export { type Examined, examine } from './examined.ts';
export { statementsOf } from './statements.ts';
export { createTestDatabase, type TestDatabase } from './test-database.ts';
