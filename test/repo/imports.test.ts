import { describe, expect, test } from '@jest/globals';
import { type Import, readSources, type SourceFile } from '../support/source-files.js';

const SOURCES = [...readSources('src'), ...readSources('workers')];
const isOurs = ({ to }: Import): boolean => /^(src|workers|test|tools|bin)\//.test(to);

/** The parts of src/, by folder; files that stand alone at the top are of the kernel or bring the parts together. */
const KERNEL = [
  'calendar',
  'clock',
  'config',
  'errors',
  'escape-html',
  'failpoint',
  'ids',
  'in-lanes',
  'local-format',
  'logger',
  'metrics',
  'money',
  'package-root',
];
function partOf(path: string): string {
  const [top = '', second = '', ...deeper] = path.split('/');
  if (top !== 'src') return top;
  if (deeper.length > 0) return second;
  const name = second.replace(/\.ts$/, '');
  return KERNEL.includes(name) ? 'kernel' : name;
}

/** What each part may import besides itself and the kernel. Downstream knows upstream, never the other way round. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  embedded: [],
  db: ['generated'],
  auth: ['db'],
  queue: ['db', 'deps'],
  carriers: ['shipments'],
  inbox: ['db', 'deps', 'queue', 'carriers', 'shipments'],
  shipments: ['db', 'deps', 'queue'],
  promises: ['db', 'deps', 'queue', 'carriers', 'shipments', 'compensation', 'awards', 'events'],
  compensation: ['db', 'shipments', 'promises'],
  awards: ['db', 'deps', 'queue', 'compensation', 'events'],
  messages: ['db', 'deps', 'queue', 'shipments', 'promises', 'compensation', 'awards', 'events'],
  events: ['db', 'deps', 'queue', 'compensation'],
  simulation: ['db', 'shipments', 'promises', 'compensation'],
  http: [
    'db',
    'deps',
    'auth',
    'carriers',
    'inbox',
    'shipments',
    'promises',
    'compensation',
    'awards',
    'messages',
    'events',
  ],
  cli: [
    'db',
    'deps',
    'auth',
    'queue',
    'carriers',
    'inbox',
    'shipments',
    'promises',
    'compensation',
    'messages',
    'simulation',
    'imports',
  ],
  imports: ['db', 'deps', 'queue', 'carriers', 'inbox', 'shipments', 'promises'],
  demo: ['http', 'cli'],
  pipeline: ['queue', 'shipments', 'promises', 'awards', 'messages', 'events'],
  deps: ['db', 'queue', 'compensation', 'awards', 'messages'],
  'open-deps': ['db', 'deps', 'queue', 'auth', 'compensation', 'awards', 'messages'],
  'open-when-there': ['db'],
  'print-error': ['db'],
  'run-process': ['print-error'],
};

/** Parts that bring everything together, and who may: the entry points. workers/ consists of them. */
const FOR_ENTRY_POINTS = ['pipeline', 'open-deps', 'open-when-there', 'print-error', 'run-process', 'embedded'];
const ENTRY_POINTS = ['src/http/main.ts', 'src/cli/main.ts', 'src/cli/session.ts'];

/** Single steps over a fence, with the reason; one that nobody takes any more fails. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'src/config.ts > src/awards/remedy-providers.ts': 'REMEDY_PROVIDERS names what can be carried out by whom',
  'src/config.ts > src/compensation/award.ts': 'and the kinds of awards',
  'src/config.ts > src/auth/roles.ts': 'each role has a limit of requests',
  'src/config.ts > src/carriers/key-set-setting.ts': 'a key set is checked as its carrier will read it',
  'src/config.ts > src/carriers/registry.ts': 'the names of the secrets are those of the carriers',
  'src/config.ts > src/messages/address.ts': 'MAIL_FROM is checked as letters will read it',
  'src/config.ts > src/promises/notice-kinds.ts': 'SERVICE_LETTERS names letters',
  'src/config.ts > src/messages/smtp-url.ts': 'SMTP_URL is checked as the mailer will read it',
  'src/config.ts > src/queue/cron.ts': 'SWEEP_CRON is checked as BullMQ will read it',
  'src/events/post-event.ts > src/awards/providers/answer-text.ts': 'Retry-After is read as that of providers is',
  'src/messages/send-messages.ts > src/inbox/group-commit.ts':
    'what several letters write at once is one commit, as with webhooks at the door',
  'src/promises/order-document.ts > src/messages/address.ts':
    'an order without a usable address is refused at the door',
};

describe('imports between parts', () => {
  test('each part imports only what the table allows, and every exception is still needed', () => {
    const taken = new Set<string>();
    const violations = SOURCES.filter(({ path }) => path.startsWith('src/')).flatMap(({ path, imports }) =>
      imports.filter(isOurs).flatMap(({ to }) => {
        const [from, into] = [partOf(path), partOf(to)];
        if (into === from || into === 'kernel' || MAY_IMPORT[from]?.includes(into)) return [];
        if (FOR_ENTRY_POINTS.includes(into) && ENTRY_POINTS.includes(path)) return [];
        const step = `${path} > ${to}`;
        taken.add(step);
        return step in EXCEPTIONS ? [] : [step];
      }),
    );
    expect(violations).toEqual([]);
    expect(Object.keys(EXCEPTIONS).filter((step) => !taken.has(step))).toEqual([]);
  });

  test('every part has its line in the table', () => {
    const parts = SOURCES.filter(({ path }) => path.startsWith('src/')).map(({ path }) => partOf(path));
    expect([...new Set(parts)].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  test('workers/ imports only itself and src/, and src/ never workers/ or test/', () => {
    const violations = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(isOurs)
        .filter(({ to }) => !to.startsWith('src/') && !(path.startsWith('workers/') && to.startsWith('workers/')))
        .map(({ to }) => `${path} > ${to}`),
    );
    expect(violations).toEqual([]);
  });

  test('the bundle of dependencies is a type for everybody but its maker', () => {
    const violations = SOURCES.filter(({ imports }) =>
      imports.some(({ to, typeOnly }) => to === 'src/deps.ts' && !typeOnly),
    );
    expect(violations.map(({ path }) => path)).toEqual([]);
  });

  test('no file imports itself by way of others, not even for types', () => {
    expect(cyclesOf(SOURCES)).toEqual([]);
  });
});

/** Where a library may be imported. What is not named is free of input and output. */
const LIBRARIES: readonly (readonly [library: RegExp, where: RegExp])[] = [
  [/^pg$/, /^src\/(db\/|embedded\/pg-login\.ts|queue\/backend\.ts)/],
  [/^@prisma\//, /^src\/db\//],
  [/^(bullmq|ioredis)$/, /^src\/queue\/backend\.ts$/],
  [/^cron-parser$/, /^src\/queue\/cron\.ts$/],
  [/^nodemailer\//, /^src\/messages\//],
  [/^(fastify|fastify-.*|@fastify\/.*)$/, /^src\/http\//],
  [/^(commander|cli-table3)$/, /^src\/cli\//],
  [/^standardwebhooks$/, /^src\/(awards\/providers|events|demo)\//],
  [/^(stripe|@shopify\/.*)$/, /^src\/(awards\/providers|demo)\//],
  [/^csv-parse/, /^src\/imports\//],
  [/^pino$/, /^src\/logger\.ts$/],
];

describe('the outside', () => {
  test('a library that reaches outside is imported in one place', () => {
    const violations = SOURCES.flatMap(({ path, imports }) =>
      imports.flatMap(({ to }) =>
        LIBRARIES.some(([library, where]) => library.test(to) && !where.test(path)) ? [`${path} > ${to}`] : [],
      ),
    );
    expect(violations).toEqual([]);
  });

  test('only stores talk to the database', () => {
    const mayTalk = /-store\.ts$|^src\/db\/|^src\/embedded\/|^src\/queue\/backend\.ts$/;
    const violations = SOURCES.filter(
      ({ path, uses }) => !mayTalk.test(path) && ['.query()', '.prisma'].some((use) => reachesFor(uses, use)),
    );
    expect(violations.map(({ path }) => path)).toEqual([]);
  });

  test('SQL is never put together from text that Prisma cannot escape', () => {
    const violations = SOURCES.filter(({ uses }) =>
      ['.$queryRawUnsafe', '.$executeRawUnsafe'].some((use) => reachesFor(uses, use)),
    );
    expect(violations.map(({ path }) => path)).toEqual([]);
  });

  test('the environment is read where a process begins, and for test failpoints', () => {
    const readers = SOURCES.filter(({ uses }) => uses.has('process.env')).map(({ path }) => path);
    expect(readers).toEqual([
      'src/cli/commands/doctor.ts',
      'src/cli/commands/migrate.ts',
      // The secret of the source that it plays.
      'src/cli/commands/send.ts',
      'src/cli/session.ts',
      // What a PostgreSQL of our own inherits.
      'src/embedded/platform-process.ts',
      'src/failpoint.ts',
      'src/run-process.ts',
      'workers/demo.ts',
    ]);
  });
});

/** Files in which the rules stand: the same input gives the same answer, always and everywhere. */
const PURE =
  /^src\/(calendar|errors|escape-html|local-format|money)\.ts$|^src\/carriers\/|^src\/shipments\/(tracking-event|event-interval|apply-events|carrier-family|tracking-links|lives|match-scans|supersede)\.ts$|^src\/promises\/(promise|verdict|verdict-case|letter-facts|notices|notice-kinds|order-document|call-time|talking-points|personal-call-points|rank-calls|before-contact|case-points|contact-answer|order-record|quiet-parcels|sweep-counts|compare-standing|replay-decision)\.ts$|^src\/compensation\/(?!.*-store\.ts$)|^src\/awards\/(posting|remedy-providers|agent-limits|worth|budgeted|start-of-day|providers\/(answer-text|grant-request))\.ts$|^src\/simulation\/(?!.*-store\.ts$|simulate-policy\.ts$)|^src\/messages\/(address|blocks|letter(-(?!.*store).*)?|links|mail-rate|apologies|quiet-hours|came-today|outside-text|parcel-list|parse-.*|phrases|remedies|render|samples|text-.*)\.ts$|^src\/events\/(event|retry-wait)\.ts$/;

/** Modules that compute and do nothing else. Of node:crypto only what has no chance in it. */
const PURE_MODULES =
  /^(zod|date-fns|@date-fns\/tz|jsonc-parser|mustache|node:util|node:url|nodemailer\/lib\/addressparser)$/;
const PURE_CRYPTO = [
  ['hash', 'createHash', 'createHmac', 'timingSafeEqual'],
  // RSASSA-PKCS1-v1_5 has no chance in it either.
  ['createPrivateKey', 'createPublicKey', 'sign', 'verify'],
].flat();
/** Names of Node that pure files do not touch. */
const IMPURE = [
  ['new Date()', 'Date.now', 'Math.random', 'performance', 'crypto'],
  ['process', 'globalThis', 'console', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
].flat();

describe('pure files', () => {
  const pure = SOURCES.filter(({ path }) => PURE.test(path));

  test('they are all there', () => {
    expect(pure.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'src/awards/posting.ts',
        'src/calendar.ts',
        'src/carriers/easypost/parse.ts',
        'src/carriers/easypost/statuses.ts',
        'src/compensation/decide.ts',
        'src/compensation/limits.ts',
        'src/messages/render.ts',
        'src/messages/text-source.ts',
        'src/money.ts',
        'src/promises/verdict.ts',
        'src/shipments/apply-events.ts',
        'src/shipments/match-scans.ts',
      ]),
    );
  });

  test('they stand on pure files and modules alone', () => {
    const violations = pure.flatMap(({ path, imports }) =>
      imports.filter((imported) => !isPure(imported)).map(({ to }) => `${path} > ${to}`),
    );
    expect(violations).toEqual([]);
  });

  test('they do not know of dependencies, configuration, database or queue, not even as types', () => {
    const violations = pure.flatMap(({ path, imports }) =>
      imports.filter(({ to }) => /^src\/(deps|config|db\/|queue\/)/.test(to)).map(({ to }) => `${path} > ${to}`),
    );
    expect(violations).toEqual([]);
  });

  test('they have no clock, chance, environment or timer', () => {
    const violations = pure.flatMap(({ path, uses }) =>
      IMPURE.filter((name) => uses.has(name)).map((name) => `${path}: ${name}`),
    );
    expect(violations).toEqual([]);
  });

  test('those of promises know nothing of what comes after the verdict', () => {
    const violations = pure
      .filter(({ path }) => /^src\/promises\/(promise|verdict|verdict-case)\.ts$/.test(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ to }) => /^src\/(compensation|awards|messages)\//.test(to))
          .map(({ to }) => `${path} > ${to}`),
      );
    expect(violations).toEqual([]);
  });

  function isPure({ to, typeOnly, names }: Import): boolean {
    if (typeOnly || PURE.test(to) || PURE_MODULES.test(to) || to.endsWith('.json')) return true;
    return to === 'node:crypto' && names.every((name) => PURE_CRYPTO.includes(name));
  }
});

/** Longer, and it does more than one thing. */
const LONGEST_FILE = 400;

test(`no file has more than ${LONGEST_FILE} lines`, () => {
  const long = SOURCES.filter(({ lines }) => lines > LONGEST_FILE);
  expect(long.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
});

/** `.name` and `.name()` of whatever object. */
function reachesFor(uses: ReadonlySet<string>, use: string): boolean {
  return [...uses].some((used) => used.endsWith(use));
}

/** Each circle of imports that is met on a walk through all files. */
function cyclesOf(sources: readonly SourceFile[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' > '));
    if (way.includes(path) || done.has(path)) return;
    for (const { to } of byPath.get(path)?.imports ?? []) walk(to, [...way, path]);
    done.add(path);
  };
  for (const { path } of sources) walk(path, []);
  return cycles;
}
