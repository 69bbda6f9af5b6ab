import { AppError } from '../errors.js';

/** A place in a list, as `next` says it: opaque to whoever pages. */
export function toCursor(place: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** A place as `toCursor` made it: an instant, or null where the list has one without, and an id. @throws AppError `invalid_request` */
export function fromCursor(after: string | undefined): { at: Date | null; id: string } | null {
  if (after === undefined) return null;
  try {
    const [at, id] = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'));
    const instant = at === null ? null : new Date(at);
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) && !Number.isNaN(instant?.getTime() ?? 0))
      return { at: instant, id };
  } catch {
    // Said below.
  }
  throw new AppError('invalid_request', 'There is no such place in the list.', {
    errors: [{ field: 'after', message: 'is not what `next` of a list said' }],
  });
}
