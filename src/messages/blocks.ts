/** A way out of a letter. The address is checked; see `webAddress`. */
export interface Link {
  readonly label: string;
  readonly url: string;
}

/** Label and value, for reading at a glance. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** One piece of a letter. Every text is plain and of one line: the HTML renderer escapes it, so nobody writes markup. */
export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  /** What was given, one line each. */
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'facts'; readonly rows: readonly Fact[] }
  | { readonly kind: 'parcels'; readonly items: readonly { readonly text: string; readonly link: Link | null }[] }
  /** Choices, side by side and easy to hit, or a link in passing. */
  | { readonly kind: 'links'; readonly links: readonly Link[]; readonly isChoice: boolean };
