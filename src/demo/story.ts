/** Who reports the scans of a story. */
export type DemoSource = 'easypost' | 'shippo' | 'ups' | 'fedex' | 'usps' | 'dhl';

export type ScanKind = 'label' | 'moving' | 'attempted' | 'weather' | 'address' | 'lost' | 'delivered';

/** A scan, before it is put into the words of a source. */
export interface DemoScan {
  readonly at: string;
  readonly kind: ScanKind;
  readonly message: string;
  readonly city: string;
}

export interface Story {
  readonly id: string;
  /** What it shows, for the table. */
  readonly happened: string;
  readonly customer: {
    readonly id: string;
    readonly name: string;
    readonly email: string;
    readonly locale: string;
    readonly membership?: { readonly tier: string; readonly trial: boolean };
  };
  readonly promise: { readonly on: string; readonly timeZone: string };
  /** When the shop tells us of the order; most on the 21st. */
  readonly registeredOn?: string;
  readonly occasion?: { readonly name: string; readonly on: string };
  readonly total: { readonly amountMinor: number; readonly currency: string };
  readonly shippingPaid?: { readonly amountMinor: number; readonly currency: string };
  readonly carrier: string;
  /** Who reports its scans: the carrier itself, or an aggregator. */
  readonly source: DemoSource;
  readonly trackingNumber: string;
  readonly scans: readonly DemoScan[];
  /** What must come of it; the demo fails when it does not. */
  readonly expected: {
    readonly verdict: string;
    readonly awards: readonly string[];
    readonly letters: readonly string[];
  };
}
