/** What is wrong with one field of an input. `field` is a path such as `promise.timeZone` or `shipments[0].carrier`. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/**
 * Every kind of trouble that can leave this product, with its HTTP status and whether trying again can help.
 * `retry` decides what a worker does: true means wait and run again, false means set the row aside with its reason.
 */
export const ERROR_CODES = {
  invalid_request: { status: 400, title: 'The request is not valid', retry: false },
  malformed_webhook: { status: 400, title: 'The webhook is not valid', retry: false },
  not_supported_yet: { status: 400, title: 'Not supported yet', retry: false },
  unauthenticated: { status: 401, title: 'Not authenticated', retry: false },
  another_carriers_parcel: { status: 400, title: 'Not a parcel of this carrier', retry: false },
  bad_signature: { status: 401, title: 'The signature is missing or wrong', retry: false },
  forbidden: { status: 403, title: 'Not allowed', retry: false },
  not_found: { status: 404, title: 'Not found', retry: false },
  promise_changed: { status: 409, title: 'A promise never changes', retry: false },
  customer_changed: { status: 409, title: 'An order never changes its customer', retry: false },
  own_proposal: { status: 403, title: 'Nobody approves what they proposed', retry: false },
  already_decided: { status: 409, title: 'Already decided', retry: false },
  amount_changed: { status: 409, title: 'The amount is not the one that was looked at', retry: false },
  insufficient_funds: { status: 409, title: 'There is not that much', retry: false },
  already_spent: { status: 409, title: 'It is spent already', retry: false },
  not_reversible: { status: 409, title: 'This cannot be reversed here', retry: false },
  key_in_use: { status: 409, title: 'Nobody revokes the key they are using', retry: false },
  idempotency_conflict: { status: 409, title: 'This key was used for another request', retry: false },
  body_too_large: { status: 413, title: 'The body is too large', retry: false },
  unsupported_media_type: { status: 415, title: 'Not JSON', retry: false },
  rate_limited: { status: 429, title: 'Too many requests', retry: true },
  internal: { status: 500, title: 'Something went wrong here', retry: false },
  overloaded: { status: 503, title: 'Too busy to take more', retry: true },
  database_unavailable: { status: 503, title: 'The database cannot be reached', retry: true },
  keys_unavailable: { status: 503, title: 'The keys of the sender cannot be fetched', retry: true },
  queue_unavailable: { status: 503, title: 'The queue cannot be reached', retry: true },
} as const;
export type ErrorCode = keyof typeof ERROR_CODES;

/** Trouble that is worth a word to whoever asked. The message is written for them: what is wrong and what to do. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; errors?: readonly FieldError[] } = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.errors = options.errors ?? [];
  }
}

/** Our own mistake: a state that the code holds to be impossible. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** For exhaustive switches: the compiler refuses a missing case, and a wrong value at run time is said. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: unexpected ${JSON.stringify(value)}`);
}
