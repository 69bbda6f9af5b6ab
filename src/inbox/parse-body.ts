import { JSON_FAULTS, parseStrictJson } from '../carriers/strict-json.js';
import { AppError } from '../errors.js';

/**
 * The bytes of a webhook as a document.
 * @throws AppError `malformed_webhook`
 */
export function parseBody(rawBody: Buffer): unknown {
  const refuse = (fault: string) => {
    const message = `The body ${fault}.`;
    return new AppError('malformed_webhook', message, { errors: [{ field: '', message }] });
  };
  if (rawBody.length === 0) throw refuse('is empty');
  let text: string;
  try {
    // Invalid UTF-8 must be refused before it turns into U+FFFD.
    text = utf8.decode(rawBody);
  } catch {
    throw refuse('is not UTF-8');
  }
  const read = parseStrictJson(text, rawBody);
  if (read.outcome === 'refused') throw refuse(JSON_FAULTS[read.fault]);
  return read.document;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
