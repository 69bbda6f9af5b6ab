import { z } from 'zod';
import type { AwardIncident } from '../compensation/incident.js';
import { beforeContact } from '../promises/before-contact.js';

const instant = z.iso.datetime();

/** Whether an award came before its customer complained. */
export const beforeContactSchema = z
  .object({
    firstContactAt: instant.nullable(),
    cameFirst: z
      .boolean()
      .nullable()
      .meta({ description: 'null: not applied, and nobody has complained. What was given by hand never came first' }),
    minutes: z.int().nullable().meta({ description: 'Positive: ahead of the contact; negative: after it' }),
  })
  .meta({ description: 'Against the first complaint about the order: late, not received or damaged' });

export function beforeContactToJson(
  { incident, appliedAt }: { readonly incident: string; readonly appliedAt: Date | null },
  firstContactAt: Date | null,
): z.infer<typeof beforeContactSchema> {
  const measured = beforeContact({ incident: incident as AwardIncident, appliedAt, firstContactAt });
  return { ...measured, firstContactAt: firstContactAt?.toISOString() ?? null };
}
