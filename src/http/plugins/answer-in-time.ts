import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.js';

/**
 * Then whoever asked hears 503, as when a database neither answers nor refuses. Longer, and senders hang up before (they
 * wait 15 to 30 s); shorter, and a flood is refused that would have been stored. Asking again is harmless everywhere.
 */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Answers every request in time, whatever its handler waits for. How long the sender takes for its body does not count.
 * (Fastify's own handlerTimeout ends its watch when the body has been read, and the waiting begins only then.)
 */
export function answerInTime(app: FastifyInstance): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  const stop = async (request: FastifyRequest) => clearTimeout(timers.get(request));
  const start = async (request: FastifyRequest, reply: FastifyReply) => {
    clearTimeout(timers.get(request));
    const tooLate = () => {
      if (reply.sent) return;
      reply.send(new AppError('overloaded', 'This took too long, and may have been done or not. Try again shortly.'));
    };
    timers.set(request, setTimeout(tooLate, ANSWER_TIMEOUT_MS));
  };
  app.addHook('onRequest', start);
  app.addHook('preParsing', stop);
  app.addHook('preValidation', start);
  app.addHook('onResponse', stop);
  app.addHook('onRequestAbort', stop);
}
