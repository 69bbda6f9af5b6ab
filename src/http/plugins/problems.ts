import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { asDatabaseError } from '../../db/database.js';
import { AppError, ERROR_CODES, type ErrorCode, type FieldError } from '../../errors.js';

/** How long a sender waits before it tries again, in seconds. Shorter, and all of them come back before the database does. */
const RETRY_AFTER_S = 5;

/** Every error leaves as a problem document (RFC 9457); what we did not foresee says nothing of our insides. */
export function answerProblems(app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) => {
    sendProblem(reply, 'not_found', 'There is nothing at this address.', []);
  });
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    // A sender that hangs up breaks a connection too, but not the database's.
    const error = thrown.statusCode === undefined ? asDatabaseError(thrown) : thrown;
    if (error instanceof AppError) {
      if (ERROR_CODES[error.code].status >= 500) request.log.warn({ err: error }, error.code);
      return sendProblem(reply, error.code, error.message, error.errors);
    }
    if (hasZodFastifySchemaValidationErrors(thrown)) {
      const errors = thrown.validation.map(({ instancePath, message }) => ({
        field: toPath(instancePath),
        message: message ?? '',
      }));
      return sendProblem(reply, 'invalid_request', 'Some fields are missing or wrong.', errors);
    }
    const code = CODES_OF_FASTIFY[thrown.code ?? ''];
    if (code) return sendProblem(reply, code, thrown.message, []);
    if (thrown.statusCode !== undefined && thrown.statusCode >= 400 && thrown.statusCode < 500) {
      return sendProblem(reply, 'invalid_request', thrown.message, []);
    }
    request.log.error({ err: thrown }, 'unforeseen');
    return sendProblem(reply, 'internal', 'This is our mistake. It was logged.', []);
  });
}

/** Of an address that leads to no route and so to no error handler. It is not repeated: it may hold anything. */
export function answerBadAddress(_error: FastifyError, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, 'invalid_request', 'The address cannot be read: percent signs must be escaped as %25.', []);
}

/**
 * What is no HTTP that Node can read, too much of it before the first line ends, or too slow. There is no request and so no answer
 * to it, only a connection: what is said goes over it as it is, and it ends.
 */
export function answerNoRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy(error);
    return;
  }
  const [status, code, detail] = NO_REQUEST[error.code ?? ''] ?? NOT_HTTP;
  const { title } = ERROR_CODES[code];
  const body = JSON.stringify({ type: `urn:makegood:error:${code}`, title, status, detail, code, errors: [] });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    // Whoever does not close their end must not keep ours.
    () => socket.destroy(),
  );
}

type NoRequest = readonly [status: number, code: ErrorCode, detail: string];
const NOT_HTTP: NoRequest = [400, 'invalid_request', 'This is not HTTP as it can be read.'];
const NO_REQUEST: Readonly<Record<string, NoRequest>> = {
  HPE_HEADER_OVERFLOW: [431, 'invalid_request', 'The address and the headers are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'invalid_request', 'The request took too long to come.'],
};

const CODES_OF_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_request',
};

function sendProblem(
  reply: FastifyReply,
  code: ErrorCode,
  detail: string,
  errors: readonly FieldError[],
): FastifyReply {
  const { status, title, retry } = ERROR_CODES[code];
  // A limit knows better when.
  if (retry && !reply.hasHeader('retry-after')) reply.header('retry-after', String(RETRY_AFTER_S));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: `urn:makegood:error:${code}`, title, status, detail, code, errors }));
}

/** `/shipments/0/carrier` as it is written elsewhere: `shipments[0].carrier`. */
function toPath(instancePath: string): string {
  return instancePath
    .split('/')
    .filter(Boolean)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}
