import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ROLES, type Role } from '../auth/roles.js';
import { TEMPLATE_NAMES } from '../messages/letter.js';
import { LANGUAGES } from '../messages/text-rules.js';
import { printError } from '../print-error.js';

/*
 * The command line. Each command loads what it needs when it is called: judging a case must not wait for a database
 * driver to load. Exit code 1: it failed, stderr says why; 2: it was called wrongly.
 */

/** More, and the ids alone fill the memory. */
const MOST_SAMPLED = 1_000_000;

const IMPORT_HELP = `
Twice:    a second run finds everything unchanged. After one that was ended early, the same file with the same options goes
          on where that one ended, also with more at its end; a file that was changed before that place is read anew.
Mapping:  "column"; {"const": v}; {"column": "c", "format": "yyyy-MM-dd HH:mm:ss XXX"};
          {"column": "c", "decimal": 2}, or "currency" for as many decimals as the order's currency has;
          with "attribute": "Delivery-Date" beside "column", the rest of the line "Delivery-Date: …" of the cell.
shopify:  the id is Name (#1001), the customer is Email in lower case; name, phone, date, total, shipping, destination and the
          order's gid (of Id) are read too. Rows of further line items belong to the order above them, and orders that were
          cancelled are left out: both are counted. The export does not say when an order was promised. --map adds that, and
          may replace what is known:
          {"promise.on": {"column": "Note Attributes", "attribute": "Delivery-Date"}, "promise.timeZone": {"const": "Europe/Paris"}}
`;

const program = new Command('makegood')
  .description('Notices broken delivery promises and makes them good before the customer has to ask.')
  .exitOverride()
  .configureHelp({ sortSubcommands: false, showGlobalOptions: true });

const command = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option('--json', 'print one JSON document and nothing else')
    .exitOverride();

command('judge', 'the verdict for one case, or for each of a list of cases; needs no database')
  .requiredOption('--file <file>', 'a JSON file with a case or a list of cases; - for standard input')
  .action(async ({ file, json }) => {
    const { judgeCommand } = await import('./commands/judge.js');
    const answer = await judgeCommand({ file });
    const { print, table } = await import('./print.js');
    print(json, answer, () =>
      table(
        ['verdict', 'promised until', 'met at', 'late minutes', 'late days', 'fault'],
        [answer]
          .flat()
          .map((one) => [one.verdict, one.promisedUntil, one.metAt, one.lateMinutes, one.lateDays, one.fault]),
      ),
    );
  });

command('decide', 'what a policy would award for such a case, and why; applies nothing, needs no database')
  .requiredOption('--file <file>', 'a JSON file with a case or a list of cases; - for standard input')
  .option('--policy <file>', 'a policy; without it the default policy')
  .action(async ({ file, policy, json }) => {
    const { decideCommand } = await import('./commands/decide.js');
    const answer = await decideCommand({ file, policy });
    const { print } = await import('./print.js');
    print(json, answer, () =>
      [answer]
        .flat()
        .map((one) => one.explanation.join('\n'))
        .join('\n\n'),
    );
  });

command('recheck', 'judges an order again, as an agent does; or all orders of which something is so')
  .argument('[order-or-carrier]', 'an order id, or a carrier followed by a tracking number')
  .argument('[tracking-number]')
  .option('--verdict <verdict...>', 'all orders with one of these verdicts')
  .option('--carrier <carrier>', 'all orders with a parcel of this carrier')
  .option('--status <status>', 'all orders with a parcel in this state, such as in_transit')
  .option('--promised-from <instant>', 'all orders whose promise ended then or later')
  .option('--promised-before <instant>', 'all orders whose promise ended before')
  .option('--yes', 'of many: judge them; without it they are only counted')
  .option('--reason <text>', 'why, for the audit')
  .action(async (first: string | undefined, trackingNumber: string | undefined, { reason, json, yes, ...words }) => {
    const { print } = await import('./print.js');
    const isMany = ['verdict', 'carrier', 'status', 'promisedFrom', 'promisedBefore'].some((name) => name in words);
    if (isMany === (first !== undefined))
      program.error(
        first === undefined
          ? "error: missing argument 'order-or-carrier', or options that say which orders: see makegood recheck --help"
          : "error: either one order ('order-or-carrier'), or options that say which orders",
        { exitCode: 2 },
      );
    if (first === undefined) {
      const { recheckManyCommand, describeRecheckMany } = await import('./commands/recheck-many.js');
      const report = await recheckManyCommand(words, { yes: yes === true, reason: reason ?? null });
      return print(json, report, () => describeRecheckMany(report));
    }
    const { recheckCommand, describeRecheck } = await import('./commands/recheck.js');
    const answer = await recheckCommand({ first, trackingNumber, reason: reason ?? null });
    print(json, answer, () => describeRecheck(answer));
  });

command('sweep', 'the nightly sweep, now: judges what is open, finds what was forgotten')
  .option('--as-of <instant>', 'judge with what was known then, as 2026-11-05T12:00:00Z; not in the future')
  .option('--dry-run', 'say what it would find, change nothing')
  .action(async ({ asOf, dryRun, json }) => {
    const { sweepCommand, describeSweep } = await import('./commands/sweep.js');
    const report = await sweepCommand({ asOf, dryRun: dryRun === true });
    const { print } = await import('./print.js');
    print(json, report, () => describeSweep(report));
  });

command('replay', 'reads stored webhooks again with the code of today; changes nothing that is already right')
  .option('--source <source>', 'only those of this source, by its name in /webhooks/…')
  .option('--since <instant>', 'only those that came then or later, as 2026-11-05T12:00:00Z')
  .action(async ({ source, since, json }) => {
    const { replayCommand, describeReplay } = await import('./commands/replay.js');
    const report = await replayCommand({ source, since });
    const { print } = await import('./print.js');
    print(json, report, () => describeReplay(report));
  });

command('explain', 'everything about one order: verdicts, awards, letters, why, and whether it comes out again')
  .argument('<order>', 'an order id')
  .action(async (orderId: string, { json }) => {
    const { explainCommand, describeExplanation } = await import('./commands/explain.js');
    const explained = await explainCommand({ orderId });
    const { print } = await import('./print.js');
    print(json, explained, () => describeExplanation(explained));
  });

command('audit', 'the nightly audit, now: is the record right, and was everything due given, and nothing else')
  .option('--sample <n>', 'how many of the newest verdicts, and how many random ones, are run again', wholeNumber)
  .action(async ({ sample, json }: { sample?: number; json?: boolean }) => {
    const { auditCommand, describeAudit } = await import('./commands/audit.js');
    const report = await auditCommand({ sample });
    const { print } = await import('./print.js');
    print(json === true, report, () => describeAudit(report));
    if (!report.ok) process.exitCode = 1;
  });

const policies = program
  .command('policy')
  .description('the policy: what a broken promise earns, as versioned data')
  .exitOverride();
const policyCommand = (name: string, description: string): Command =>
  policies
    .command(name)
    .description(description)
    .option('--json', 'print one JSON document and nothing else')
    .exitOverride();

policyCommand('simulate', 'what a policy would have cost on the recorded past, beside the active one; changes nothing')
  .argument('<file>', 'the policy; - for standard input')
  .option('--since <instant>', 'count only orders whose promise ended then or later, as 2026-11-05T12:00:00Z')
  .option('--until <instant>', 'judge with what was known then; not in the future')
  .option('--svg <file>', 'draw the cost of each week into this file')
  .action(async (file: string, { since, until, svg, json }) => {
    const { simulatePolicyCommand, describeSimulation } = await import('./commands/policy-simulate.js');
    const answer = await simulatePolicyCommand({ file, since, until, svg });
    const { print } = await import('./print.js');
    print(json, answer, () => describeSimulation(answer));
  });

policyCommand('check', 'says what is wrong with a policy, with line and column; needs no database')
  .argument('<file>', 'a policy; - for standard input')
  .action(async (file: string, { json }) => {
    const { checkPolicyCommand, describePolicyCheck } = await import('./commands/policy.js');
    const checked = await checkPolicyCommand(file);
    const { print } = await import('./print.js');
    print(json, checked, () => describePolicyCheck(checked));
    if (!checked.valid) process.exitCode = 1;
  });

policyCommand('activate', 'puts a policy in force as a new version')
  .argument('<file>', 'a policy; - for standard input')
  .option('--reason <text>', 'why, for the audit')
  .action(async (file: string, { reason, json }) => {
    const { activatePolicyCommand } = await import('./commands/policy.js');
    const activated = await activatePolicyCommand({ file, reason: reason ?? null });
    const { print } = await import('./print.js');
    print(json, activated, () => `Policy "${activated.name}" is in force, as version ${activated.version}.`);
  });

policyCommand('list', 'shows every version, who put it in force, when and why').action(async ({ json }) => {
  const { listPoliciesCommand } = await import('./commands/policy.js');
  const versions = await listPoliciesCommand();
  const { print, table } = await import('./print.js');
  print(json, versions, () =>
    table(
      ['version', 'name', 'activated', 'by', 'reason'],
      versions.map((one) => [
        one.inForce ? `${one.version} (in force)` : one.version,
        one.name,
        one.activatedAt.toISOString(),
        one.activatedBy,
        one.reason,
      ]),
    ),
  );
});

policyCommand('show', 'prints the policy in force, or one version of it')
  .argument('[version]', 'as `policy list` shows it')
  .action(async (version: string | undefined, { json }) => {
    const { showPolicyCommand } = await import('./commands/policy.js');
    const shown = await showPolicyCommand(version);
    const { print } = await import('./print.js');
    print(json, shown, () => JSON.stringify(shown.policy, null, 2));
  });

policyCommand('schema', 'prints the JSON Schema of a policy, for editors; needs no database').action(async () => {
  const { policySchemaCommand } = await import('./commands/policy.js');
  const { print } = await import('./print.js');
  print(true, policySchemaCommand(), () => '');
});

const imports = program
  .command('import')
  .description('registers what a file holds; what is known already is completed or left as it is')
  .exitOverride();

imports
  .command('orders')
  .description(
    'registers the orders of a CSV file; bad rows are reported with their lines, and skipped. Ended early, it goes on from there',
  )
  .argument('<file>', 'a CSV file in UTF-8 whose first line names the columns')
  .option('--map <file>', 'a JSON file that says which column is which field of an order; wanted without --format')
  .addOption(
    new Option('--format <format>', "a file whose columns are known: shopify, the admin's export of orders").choices([
      'shopify',
    ]),
  )
  .option('--time-zone <zone>', 'where times without offset were written; without it, the zone of the promise')
  .option('--compensate', 'also compensate orders whose promise ended more than 30 days ago')
  .option('--rejects <file>', 'write the rejected rows there, with what is wrong with them')
  .option('--json', 'print one JSON document and nothing else')
  .addHelpText('after', IMPORT_HELP)
  .exitOverride()
  .action(async (file: string, { map, format, timeZone, compensate, rejects, json }, self: Command) => {
    if (map === undefined && format === undefined)
      self.error("error: wanted is --map <file>, or --format shopify where the file is Shopify's export");
    const { importOrdersCommand, describeImport } = await import('./commands/import.js');
    const report = await importOrdersCommand({
      file,
      map: map ?? null,
      format: format ?? null,
      timeZone: timeZone ?? null,
      compensate: compensate === true,
      rejects: rejects ?? null,
    });
    const { print } = await import('./print.js');
    print(json, report, () => describeImport(report));
    const { registered, completed, unchanged, rejected } = report;
    if (rejected > 0 && registered + completed + unchanged === 0) process.exitCode = 1;
  });

const mail = program.command('mail').description('the letters that customers get').exitOverride();

mail
  .command('preview')
  .description(
    'shows what letters look like, with made-up facts; checks the texts on the way, sends nothing, needs no database',
  )
  .addOption(new Option('--template <name>', 'only this letter').choices(TEMPLATE_NAMES))
  .addOption(new Option('--language <language>', 'only in this language').choices(LANGUAGES))
  .addOption(
    new Option('--texts <folder>', 'a folder with texts of your own, as MAIL_TEXTS_DIR names it').env('MAIL_TEXTS_DIR'),
  )
  .option('--out <folder>', 'write each letter there, as .html and .txt, and an index.html that shows them all')
  .option('--json', 'print one JSON document and nothing else')
  .exitOverride()
  .action(async ({ template, language, texts, out, json }) => {
    const { mailPreviewCommand, describeMailPreview } = await import('./commands/mail-preview.js');
    const answer = await mailPreviewCommand({
      template: template ?? null,
      language: language ?? null,
      textsDir: texts || null,
      out: out ?? null,
    });
    const { print } = await import('./print.js');
    print(json, answer, () => describeMailPreview(answer, { isOne: template !== undefined }));
  });

mail
  .command('bounce')
  .description('takes in a mail that came back, as a mail server sends it: pipe those to MAIL_FROM here')
  .option('--file <file>', 'the mail, as it came; -: standard input', '-')
  .option('--json', 'print one JSON document and nothing else')
  .exitOverride()
  .action(async ({ file, json }) => {
    const { mailBounceCommand, describeMailBounce } = await import('./commands/mail-bounce.js');
    const outcome = await mailBounceCommand(file);
    const { print } = await import('./print.js');
    print(json, outcome, () => describeMailBounce(outcome));
  });

const keys = program.command('keys').description('API keys: shown once, stored hashed').exitOverride();
const keyCommand = (name: string, description: string): Command =>
  keys
    .command(name)
    .description(description)
    .option('--json', 'print one JSON document and nothing else')
    .exitOverride();

keyCommand('create', 'makes a key and shows it this once')
  .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
  .requiredOption('--name <name>', 'whose it is, for lists and the audit')
  .action(async ({ role, name, json }: { role: Role; name: string; json?: boolean }) => {
    const { createKeyCommand } = await import('./commands/keys.js');
    const created = await createKeyCommand({ role, name });
    const { print } = await import('./print.js');
    print(
      json === true,
      created,
      () => `Key ${created.id} of role ${created.role} for ${created.name} (shown this once):\n${created.key}`,
    );
  });

keyCommand('list', 'shows all keys, not their values').action(async ({ json }) => {
  const { listKeysCommand } = await import('./commands/keys.js');
  const found = await listKeysCommand();
  const { print, table } = await import('./print.js');
  print(json, found, () =>
    table(
      ['id', 'role', 'name', 'created', 'revoked'],
      found.map((key) => [
        key.id,
        key.role,
        key.name,
        key.createdAt.toISOString(),
        key.revokedAt?.toISOString() ?? null,
      ]),
    ),
  );
});

keyCommand('revoke', 'makes a key invalid at once')
  .argument('<id>', 'as `keys list` shows it')
  .action(async (id: string, { json }) => {
    const { revokeKeyCommand } = await import('./commands/keys.js');
    await revokeKeyCommand(id);
    const { print } = await import('./print.js');
    print(json, { id, revoked: true }, () => `Key ${id} is revoked.`);
  });

command('migrate', 'brings the database to the current schema').action(async ({ json }) => {
  const { migrateCommand } = await import('./commands/migrate.js');
  const applied = await migrateCommand();
  const { print } = await import('./print.js');
  print(json, { applied }, () =>
    applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`,
  );
});

command('doctor', 'checks configuration, database, queue, mail, clock and sources, and says what is wrong').action(
  async ({ json }) => {
    const { doctorCommand, describeDoctor } = await import('./commands/doctor.js');
    const answer = await doctorCommand();
    const { print } = await import('./print.js');
    print(json, answer, () => describeDoctor(answer));
    if (!answer.ok) process.exitCode = 1;
  },
);

command('send', 'plays a carrier: signs a webhook as the source would, and posts it')
  .argument('<source>', 'the name in /webhooks/…, such as easypost')
  .requiredOption('--file <file>', 'the body, sent byte by byte as it lies; - for standard input')
  .requiredOption('--url <url>', 'the address of makegood, or of the webhook itself')
  .option('--secret <secret>', 'what to sign with; without it the first secret of SOURCE_WEBHOOK_SECRET')
  .option(
    '--private-key <file>',
    'for shipengine: a private RSA key as JWK; made, with its key set shown, where there is none',
  )
  .action(async (source: string, { file, url, secret, privateKey, json }) => {
    const { sendCommand, describeSend } = await import('./commands/send.js');
    const answer = await sendCommand({ source, file, url, secret: secret ?? null, privateKey: privateKey ?? null });
    const { print } = await import('./print.js');
    print(json, answer, () => describeSend(answer));
    if (answer.status >= 300) process.exitCode = 1;
  });

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1 || value > MOST_SAMPLED)
    throw new InvalidArgumentError(`Wanted is a whole number from 1 to ${MOST_SAMPLED}.`);
  return value;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed what was wrong; help that was asked for is no mistake.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    await printError(error);
    process.exitCode = 1;
  }
}
