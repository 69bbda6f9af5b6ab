import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/**
 * What a browser may do on these pages: load what this server has, and ask this server. Nothing comes from elsewhere, so that they
 * work without a network, and nothing that stands in a description can run.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // The hash is of the one style that Swagger UI sets in its page.
  "style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  // Its icons are in its style sheet.
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** GET /docs: the description for people, with everything it needs in the package of Swagger UI. */
export async function docsRoutes(app: FastifyInstance, { description }: { description: () => object }): Promise<void> {
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'makegood: HTTP interface' },
    // What is tried goes to the server that showed the page, whatever it is called from elsewhere.
    transformSpecification: () => ({ ...description(), servers: [{ url: '..' }] }),
    transformSpecificationClone: false,
    // Without the bar that loads other descriptions.
    uiConfig: { layout: 'BaseLayout' },
  });
}
