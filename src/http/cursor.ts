import { AppError } from '../errors.js';

/** A place in a list, as `next` says it: opaque to whoever pages. */
export function toCursor(place: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** An id as we make them. */
const isOurId = (id: unknown): boolean =>
  typeof id === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

/**
 * A place as `toCursor` made it: an instant, or null where the list has one without, and an id.
 * @param isId what ids of the list look like
 * @throws AppError `invalid_request`
 */
export function fromCursor(after: string | undefined, isId = isOurId): { at: Date | null; id: string } | null {
  if (after === undefined) return null;
  try {
    const [at, id] = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'));
    const instant = at === null ? null : new Date(at);
    // As it was written, in four digits of a year: others are beyond what the database knows.
    const isWritten = instant === null || (instant.toISOString() === at && /^\d/.test(at));
    if (isWritten && isId(id)) return { at: instant, id };
  } catch {
    // Said below.
  }
  throw noSuchPlace();
}

/** As `fromCursor`, of a list in which everything has its instant. */
export function fromDatedCursor(after: string | undefined, isId = isOurId): { at: Date; id: string } | null {
  const place = fromCursor(after, isId);
  if (place === null) return null;
  if (place.at === null) throw noSuchPlace();
  return { at: place.at, id: place.id };
}

function noSuchPlace(): AppError {
  return new AppError('invalid_request', 'There is no such place in the list.', {
    errors: [{ field: 'after', message: 'is not what `next` of a list said' }],
  });
}
