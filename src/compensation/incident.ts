/**
 * The ways a promise can turn out broken, in the order in which one is named when several apply. `service`: what was bought was
 * no parcel, or not the parcel, and was poor. An order has at most one
 * incident of a kind; it is the unit that is made good once.
 */
export const INCIDENTS = ['service', 'not_received', 'damaged', 'returned', 'lost', 'late'] as const;
export type Incident = (typeof INCIDENTS)[number];

/** `manual`: given by hand, for no incident that a rule found. It never takes part in a top-up. */
export type AwardIncident = Incident | 'manual';
export const AWARD_INCIDENTS = [...INCIDENTS, 'manual'] as const satisfies AwardIncident[];
