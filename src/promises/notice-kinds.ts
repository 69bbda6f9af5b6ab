/** What a customer is told without anything being given: each kind has a letter of its own. */
export const NOTICE_KINDS = ['order-confirmed', 'shipped', 'at-risk', 'declined', 'correction'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Those that one may do without: a shop switches their letters on, and a customer may end them. */
export const SERVICE_LETTERS = ['order-confirmed', 'shipped', 'at-risk'] as const satisfies readonly NoticeKind[];
export type ServiceLetter = (typeof SERVICE_LETTERS)[number];
