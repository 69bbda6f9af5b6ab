/**
 * Says how jest's report (--json) ends, and fails for tests that were left out although this machine could run them.
 *
 *   node .ci/summary.mjs REPORT
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const text = readFileSync(process.argv[2], 'utf8');
if (text === '') {
  console.log('No test ran: something before them failed.');
  process.exit(1);
}
const report = JSON.parse(text);

/** What may be left out, and when. */
const MAY_SKIP = [
  { files: /^test\/unit\/shared-vectors-/, when: !process.env.MAKEGOOD_REFERENCE },
  { files: /^test\/integration\/embedded-postgres\./, when: process.getuid?.() !== 0 },
];

const skipped = report.testResults.flatMap(({ name, assertionResults }) => {
  const file = relative(process.cwd(), name);
  if (MAY_SKIP.some(({ files, when }) => when && files.test(file))) return [];
  return assertionResults
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
    .map((test) => ({ file, ...test }));
});
for (const { file, fullName } of skipped) console.log(`Left out, and it should have run: ${file}: ${fullName}`);

const { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTotalTests: total } = report;
const broken = report.numRuntimeErrorTestSuites;
if (broken > 0) console.log(`Test files that could not be run: ${broken}`);
console.log(`Tests:       ${failed} failed, ${pending} skipped, ${passed} passed, ${total} total`);
console.log(`${passed} passed, ${failed + broken + skipped.length} failed`);
process.exit(report.success && skipped.length === 0 && passed > 0 ? 0 : 1);
