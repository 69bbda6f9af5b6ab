import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mayActAs, type Role } from '../../auth/roles.js';
import { loadLedger } from '../../awards/ledger-view-store.js';
import { debitLedger } from '../../awards/spend-ledger.js';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { moneySchema, shopIdSchema } from '../../promises/order-document.js';
import { requiredReasonSchema } from '../award-view.js';
import { pageShape } from '../list.js';
import { personOf, refuseRole } from '../plugins/auth.js';
import { doOnceByName } from '../plugins/idempotency.js';

const params = z.object({ id: shopIdSchema });
const instant = z.iso.datetime();
const quantity = z.int().min(1).max(1_000_000_000_000);

const entry = z.object({
  id: z.string(),
  kind: z.string(),
  unit: z.string(),
  amount: z.int(),
  at: instant,
  expiresAt: instant.nullable(),
  remaining: z.int().nullable(),
  of: z.string().nullable(),
  awardId: z.string().nullable(),
  orderId: z.string().nullable(),
  reason: z.string().nullable(),
  reference: z.string().nullable(),
});

const debit = z
  .object({
    kind: z.enum(['spend', 'adjust', 'expire']),
    amount: z.union([moneySchema, quantity]).meta({ description: 'Money; of months or points a number, with `unit`' }),
    unit: z.enum(['membership_months', 'points']).optional(),
    reason: requiredReasonSchema,
    reference: shopIdSchema
      .optional()
      .meta({ description: 'Your own name for it: the same again takes nothing twice' }),
  })
  .superRefine(({ amount, unit }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (typeof amount === 'number' && unit === undefined) say('unit', 'say of what: membership_months or points');
    if (typeof amount !== 'number' && unit !== undefined) say('unit', 'money has its currency');
    if (typeof amount !== 'number' && amount.amountMinor < 1) say('amount', 'must be more than nothing');
  });

/** What customers have, and how it came about. */
export async function ledgerRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/customers/:id/ledger',
    {
      schema: {
        tags: ['ledger'],
        summary: 'What a customer has, and how it came about, the newest first',
        params,
        querystring: z.object({ ...pageShape }),
        response: {
          200: z.object({
            balances: z.record(z.string(), z.int()),
            entries: z.array(entry),
            next: z.string().nullable(),
          }),
        },
      },
    },
    async (request) => {
      const { after = null, limit } = request.query;
      const ledger = await loadLedger(deps.db, request.params.id, { after, limit });
      if (!ledger) throw new AppError('not_found', 'There is no customer with this id.');
      return { ...ledger, balances: { ...ledger.balances }, entries: [...ledger.entries] };
    },
  );

  app.post(
    '/v1/customers/:id/ledger/debits',
    {
      schema: {
        tags: ['ledger'],
        summary: 'Takes something from what a customer has',
        description:
          '`spend`: the customer used it; soonest-expiring first. `adjust` and `expire` set something right and need a supervisor.',
        params,
        body: debit,
        response: {
          201: z.object({
            transferId: z.string(),
            unit: z.string(),
            amount: z.int(),
            balance: z.int(),
            taken: z.array(z.object({ grant: z.string(), amount: z.int(), expiresAt: instant.nullable() })),
          }),
        },
      },
    },
    async (request, reply) => {
      const { kind, amount, unit = '', reason, reference } = request.body;
      const person = personOf(request);
      if (kind !== 'spend' && !mayActAs(person.role as Role, 'supervisor')) {
        const message = `To ${kind} needs a key of role supervisor; yours has role ${person.role}.`;
        throw await refuseRole(deps, request, reply, { needed: ['supervisor'], message });
      }
      return doOnceByName(deps, request, reply, {
        status: 201,
        work: async (name) => {
          const answer = await debitLedger(deps, request.params.id, {
            kind,
            unit: typeof amount === 'number' ? unit : amount.currency,
            amount: typeof amount === 'number' ? amount : amount.amountMinor,
            reason,
            reference: reference ?? name,
            actor: person.actor,
          });
          const taken = answer.taken.map(({ grant, amount: part, expiresAt }) => ({
            grant,
            amount: part,
            expiresAt: expiresAt?.toISOString() ?? null,
          }));
          return { ...answer, taken };
        },
      });
    },
  );
}
