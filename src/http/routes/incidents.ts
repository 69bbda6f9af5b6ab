import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { shopIdSchema } from '../../promises/order-document.js';
import { reportIncident } from '../../promises/report-incident.js';
import { instantSchema } from '../../promises/verdict-case.js';
import { personOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

/** Bytes of evidence. More belongs where it was measured, and a link to it here. */
const MOST_EVIDENCE = 8 * 1024;
/** Objects and lists within each other. Deeper, and nobody can read it. */
const DEEPEST_EVIDENCE = 20;

const evidenceSchema = z
  .record(z.string(), z.unknown(), 'must be a JSON object')
  .meta({ description: 'What was measured, up to 8 KB; shown to agents', examples: [{ rebufferedSeconds: 340 }] })
  .superRefine((evidence, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message });
    if (!isStorable(evidence, DEEPEST_EVIDENCE)) {
      refuse(`must not be deeper than ${DEEPEST_EVIDENCE} levels, nor hold NUL or half of a character`);
    } else if (Buffer.byteLength(JSON.stringify(evidence)) > MOST_EVIDENCE) refuse('must have at most 8 KB');
  });

/** The database keeps no NUL, and of half of a character it would keep another. */
function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !/[\0\p{Surrogate}]/u.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return (
    depth > 0 &&
    Object.entries(value)
      .flat()
      .every((part) => isStorable(part, depth - 1))
  );
}

/** Incidents that no carrier and no customer tells of: a service that was measured and found poor. */
export async function incidentRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.post(
    '/v1/incidents',
    {
      schema: {
        tags: ['incidents'],
        summary: 'Reports that a service was poor',
        description:
          'Has the order judged at once: incident `service`. An order has one report of a kind; another one is answered with the first, `known: true`.',
        body: z.object({
          orderId: shopIdSchema,
          kind: z
            .string('must be text')
            .regex(/^[a-z][a-z0-9_]{0,49}$/, 'must be a name such as poor_playback, of at most 50 characters')
            .meta({ examples: ['poor_playback'] }),
          title: z
            .string('must be text')
            .trim()
            .min(1, 'must not be empty')
            .max(200, 'must have at most 200 characters')
            .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters')
            .nullish()
            .meta({ description: 'What the customer knows it by: the letter names it' }),
          evidence: evidenceSchema,
          at: instantSchema.nullish(),
        }),
        response: {
          201: z.object({
            id: z.string(),
            orderId: z.string(),
            incident: z.literal('service'),
            kind: z.string(),
            title: z.string().nullable(),
            at: z.iso.datetime(),
            known: z
              .boolean()
              .meta({ description: 'It was reported before: that report stands, and this one was not stored' }),
          }),
        },
      },
    },
    (request, reply) =>
      doOnce(deps, request, reply, {
        status: 201,
        work: async (sql) => {
          const { at, title, ...report } = request.body;
          const { noted, tickets } = await reportIncident(deps, sql, personOf(request), {
            ...report,
            title: title ?? null,
            at: at ? new Date(at) : null,
          });
          return { body: { ...noted, at: noted.at.toISOString() }, tickets };
        },
      }),
  );
}
