export { type Examined, examine } from './examined.ts';
export { createTestDatabase, type TestDatabase } from './test-database.ts';
