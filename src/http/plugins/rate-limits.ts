import rateLimit, { normalizeIP, type RateLimitOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../../deps.js';
import { AppError, assert } from '../../errors.js';

declare module 'fastify' {
  interface FastifyInstance {
    rateLimits: RateLimits;
  }
}

/** Counts a request. @throws AppError `rate_limited` when it is one too many */
type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** What may be asked how often in a minute. Whoever goes beyond hears 429; nobody else notices. */
export interface RateLimits {
  /** Requests with one key, by what its role is for. */
  readonly ofKey: Limit;
  /** Webhooks of one source from one address: who forges them at one address locks out no sender at another. */
  readonly ofSender: Limit;
  /** Keys that are wrong or missing, from one address. */
  readonly ofWrongKeys: Limit;
  /** As `ofWrongKeys`, and counts nothing: whether there were too many. */
  readonly afterWrongKeys: Limit;
  /** Answers by one link of a letter. */
  readonly ofLink: Limit;
  /** Requests with one key for which its role is not enough: each that is answered 403 is a line of the audit. */
  readonly ofRefusals: Limit;
}

/** Longer, and whoever went too far once waits for long; shorter, and what comes in bursts is refused. */
const WINDOW_MS = 60_000;
/**
 * Keys and addresses that one limit remembers. Fewer, and senders from many addresses make it forget the others, who then
 * begin anew; more, and they fill our memory (some 200 bytes each).
 */
const REMEMBERED = 20_000;

/** A person presses a button once or twice. Each answer is a line of the audit. */
const ANSWERS_A_MINUTE = 10;

/**
 * Opens the limits as `app.rateLimits`. Each process counts for itself, from the first request of a minute on: with three
 * of them behind a balancer, three times as much is let through.
 */
export async function limitRates(app: FastifyInstance, deps: Deps): Promise<void> {
  // Which request counts where is decided by us: a route is public or closed, and a key wrong, only after looking.
  await app.register(rateLimit, { global: false });
  const { rateLimits } = deps.config;
  const open = (
    limit: string,
    maxOf: (request: FastifyRequest) => number,
    keyOf: (request: FastifyRequest) => string,
  ) => {
    const options: RateLimitOptions = { max: maxOf, timeWindow: WINDOW_MS, cache: REMEMBERED, keyGenerator: keyOf };
    const count = app.createRateLimit(options);
    return async (request: FastifyRequest, reply: FastifyReply, increment = true): Promise<void> => {
      if (maxOf(request) === 0) return;
      const counted = await count(request, { increment });
      if (counted.isAllowed) return;
      if (increment || counted.isExceeded) {
        reply.header('ratelimit-limit', counted.max);
        reply.header('ratelimit-remaining', counted.remaining);
        reply.header('ratelimit-reset', counted.ttlInSeconds);
      }
      if (!counted.isExceeded) return;
      deps.metrics.rateLimited.inc({ limit });
      reply.header('retry-after', counted.ttlInSeconds);
      throw new AppError(
        'rate_limited',
        `More than ${counted.max} in a minute are too many. Wait as Retry-After says.`,
      );
    };
  };

  const wrongKeys = open(
    'wrong_keys',
    () => rateLimits.wrongKeys,
    (request) => addressOf(request),
  );
  app.decorate('rateLimits', {
    ofKey: open('key', (request) => rateLimits[callerOf(request).role], keyIdOf),
    ofSender: open(
      'sender',
      () => rateLimits.webhooks,
      (request) => `${(request.params as { source: string }).source} ${addressOf(request)}`,
    ),
    ofWrongKeys: (request, reply) => wrongKeys(request, reply),
    afterWrongKeys: (request, reply) => wrongKeys(request, reply, false),
    ofLink: open(
      'link',
      () => ANSWERS_A_MINUTE,
      (request) => (request.params as { token: string }).token,
    ),
    ofRefusals: open('refusals', () => rateLimits.refusals, keyIdOf),
  });
}

function callerOf({ caller }: FastifyRequest) {
  assert(caller !== null, 'whose requests are counted is known');
  return caller;
}

const keyIdOf = (request: FastifyRequest): string => callerOf(request).keyId;

/** Who has one address of IPv6 has the whole /64. With TRUST_PROXY it is what the proxy says, else who is connected. */
const addressOf = (request: FastifyRequest): string => normalizeIP(request.ip);
