/**
 * Runs the pgTAP tests in `supabase/tests` and prints their TAP. The last line is `N passed, N failed`; exits with 1 when a test
 * failed, a file broke, or a plan was not kept.
 */
import { z } from 'zod';
import { pgtapSource } from './pgtap.ts';
import { runSqlTest, sqlTestFiles } from './sql-tests.ts';

const { MILLWRIGHT_TEST_POSTGRES_URL } = z.object({ MILLWRIGHT_TEST_POSTGRES_URL: z.url() }).parse(process.env);
const pgtap = await pgtapSource();
let passed = 0;
let failed = 0;
for (const file of sqlTestFiles) {
  const result = await runSqlTest(file, MILLWRIGHT_TEST_POSTGRES_URL, pgtap);
  passed += result.passed;
  failed += result.failed;
  process.stdout.write(`# ${file}\n${result.lines.join('\n')}\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
