export { type TestDatabase, testDatabase } from './database.ts';
export { type ServiceVariable, serviceUrl } from './environment.ts';
export { type TestNamespace, testNamespace } from './namespace.ts';
