import { serviceUrl } from '@millwright/local/testing';
import { beforeAll, expect, it } from 'vitest';
import { pgtapSource } from './pgtap.ts';
import { runSqlTest, sqlTestFiles } from './sql-tests.ts';

let pgtap: string;
beforeAll(async () => {
  pgtap = await pgtapSource();
});

it.each(sqlTestFiles)('tests/%s', async (file) => {
  const result = await runSqlTest(file, serviceUrl('MILLWRIGHT_TEST_POSTGRES_URL'), pgtap);
  const comments = result.lines.filter((line) => !/^(ok \d+|1\.\.\d+|\s*$)/.test(line));
  expect(comments).toEqual([]);
  expect(result.failed).toBe(0);
  expect(result.passed).toBeGreaterThan(0);
});
