import swagger from '@fastify/swagger';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Deps } from '../deps.js';
import { newId } from '../ids.js';
import { completeOpenApi } from './openapi.js';
import { requireRoles } from './plugins/auth.js';
import { answerProblems } from './plugins/problems.js';
import { healthRoutes } from './routes/health.js';
import { orderRoutes } from './routes/orders.js';
import { webhookRoutes } from './routes/webhooks.js';

/** An order document of 200 shipments has some 40 KB. */
const BODY_LIMIT = 1024 * 1024;
/** A sender that takes longer for one request is cut off: slow ones must not hold all connections. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The HTTP interface. Call `listen` on what it returns; `close` waits for the requests under way. */
export async function createApp(deps: Deps): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.log as unknown as FastifyBaseLogger,
    // One line a request would drown everything else in a flood, and its URL may hold an id that is personal.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: () => newId(),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 300 },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app);
  acceptEmptyJson(app);
  requireRoles(app, deps);
  const roles = new Map<string, string>();
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) roles.set(routeKey(one, url.replaceAll(/:(\w+)/g, '{$1}')), config?.role ?? '');
  });
  let description: object | undefined;

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
  app.get('/openapi.json', { config: { role: 'public' }, schema: { hide: true } }, async () => {
    description ??= completeOpenApi(app.swagger(), (method, path) => roles.get(routeKey(method, path)));
    return description;
  });
  return app;
}

const routeKey = (method: string, path: string): string => `${method.toUpperCase()} ${path}`;

/** A POST without a body is a POST with nothing to say, not a mistake; anything else must be JSON. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body as string, done);
  });
}
