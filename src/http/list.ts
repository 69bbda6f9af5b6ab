import { z } from 'zod';

/** Entries of a page that asks for no number. */
const USUAL = 50;
/** More, and one page takes longer to make than anybody wants to wait. */
const MOST = 200;

/** How every list is paged. */
export const pageShape = {
  after: z.string().max(500).optional().meta({ description: '`next` of the page before' }),
  limit: z.coerce.number().int().min(1).max(MOST).default(USUAL),
};

/** How every list answers. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: '`after` of the next page; null: this is the last' }),
  });

/** A page of at most `limit` of what was looked up with one more, to know whether there is more. */
export function pageOf<T, J>(
  found: readonly T[],
  limit: number,
  { toJson, toCursor }: { toJson: (one: T) => J; toCursor: (last: T) => string },
): { items: J[]; next: string | null } {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(toJson), next: found.length > limit && last !== undefined ? toCursor(last) : null };
}
