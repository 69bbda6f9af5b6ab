import swagger from '@fastify/swagger';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { completeOpenApi } from './openapi.js';
import { answerInTime } from './plugins/answer-in-time.js';
import { requireRoles } from './plugins/auth.js';
import { lookUpRoles } from './plugins/look-up-roles.js';
import { answerBadAddress, answerNoRequest, answerProblems } from './plugins/problems.js';
import { limitRates } from './plugins/rate-limits.js';
import { ROLE_TABLE } from './role-table.js';
import { alarmRoutes } from './routes/alarms.js';
import { approvalRoutes } from './routes/approvals.js';
import { auditRoutes } from './routes/audit.js';
import { awardRoutes } from './routes/awards.js';
import { contactRoutes } from './routes/contacts.js';
import { docsRoutes } from './routes/docs.js';
import { eventEndpointRoutes } from './routes/event-endpoints.js';
import { eventRoutes } from './routes/events.js';
import { healthRoutes } from './routes/health.js';
import { incidentRoutes } from './routes/incidents.js';
import { keyRoutes } from './routes/keys.js';
import { ledgerRoutes } from './routes/ledger.js';
import { letterLinkRoutes } from './routes/letter-links.js';
import { mailboxRoutes } from './routes/mailbox.js';
import { messageRoutes } from './routes/messages.js';
import { orderListRoutes } from './routes/order-list.js';
import { orderRoutes } from './routes/orders.js';
import { recheckRoutes } from './routes/rechecks.js';
import { suppressionRoutes } from './routes/suppressions.js';
import { sweepRoutes } from './routes/sweeps.js';
import { taskRoutes } from './routes/tasks.js';
import { webhookRoutes } from './routes/webhooks.js';

/** An order document of 200 shipments has some 40 KB. */
const BODY_LIMIT = 1024 * 1024;
/** A sender that takes longer for one request is cut off: slow ones must not hold all connections. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Node's own limit for the head of a request, address and headers together. */
const MAX_ADDRESS_LENGTH = 16 * 1024;

/** The HTTP interface. Call `listen` on what it returns; `close` waits for the requests under way. */
export async function createApp(deps: Deps): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.log as unknown as FastifyBaseLogger,
    // One line a request would drown everything else in a flood, and its URL may hold an id that is personal.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    trustProxy: trustOf(deps.config.trustProxy),
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: () => newId(),
    // What comes while we close is still answered; the listening socket is closed already, so it is not much.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Whatever fits into an address gets to the schema of its route, which names the field that is too long.
    routerOptions: { maxParamLength: MAX_ADDRESS_LENGTH },
    clientErrorHandler: answerNoRequest,
    frameworkErrors: (error, _request, reply) => void answerBadAddress(error, reply),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app);
  answerInTime(app);
  acceptJsonAlone(app);
  await limitRates(app, deps);
  const accessOf = lookUpRoles(app, ROLE_TABLE);
  requireRoles(app, deps, accessOf);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'makegood',
        version: '1',
        description: 'Notices broken delivery promises and makes them good before the customer has to ask.',
      },
      servers: [{ url: deps.config.publicUrl }],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
  });
  await app.register(healthRoutes, { deps });
  await app.register(webhookRoutes, { deps });
  await app.register(orderRoutes, { deps });
  for (const routes of [
    orderListRoutes,
    recheckRoutes,
    awardRoutes,
    approvalRoutes,
    ledgerRoutes,
    contactRoutes,
    incidentRoutes,
    taskRoutes,
    suppressionRoutes,
    letterLinkRoutes,
    mailboxRoutes,
    messageRoutes,
    sweepRoutes,
    alarmRoutes,
    auditRoutes,
    keyRoutes,
    eventEndpointRoutes,
    eventRoutes,
  ])
    await app.register(routes, { deps });
  let completed: object | undefined;
  const description = () => {
    completed ??= completeOpenApi(app.swagger(), accessOf);
    return completed;
  };
  app.get('/openapi.json', { schema: { hide: true } }, async () => description());
  await app.register(docsRoutes, { description });
  return app;
}

/**
 * Whose X-Forwarded-For counts. The number of proxies is given as a function: Fastify takes a bare number for none at all, because
 * it cannot see whether somebody came past them (.env.example says so of TRUST_PROXY).
 */
function trustOf(setting: Config['trustProxy']): NonNullable<FastifyServerOptions['trustProxy']> {
  if (setting === null) return false;
  if (typeof setting === 'number') return (_address, hop) => hop < setting;
  return [...setting];
}

/**
 * Bodies are JSON in UTF-8; a byte that is not must be refused before it turns into U+FFFD, somebody's name or id. A POST
 * without a body is a POST with nothing to say, not a mistake.
 */
function acceptJsonAlone(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = utf8.decode(body as Buffer);
    } catch {
      done(new AppError('invalid_request', 'The body is not UTF-8.'));
      return;
    }
    if (text === '') done(null, undefined);
    else void parse(request, text, done);
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
