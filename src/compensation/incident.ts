/**
 * The ways a promise can turn out broken, in the order in which one is named when several apply. An order has at most one
 * incident of a kind; it is the unit that is made good once.
 */
export const INCIDENTS = ['not_received', 'damaged', 'returned', 'lost', 'late'] as const;
export type Incident = (typeof INCIDENTS)[number];
