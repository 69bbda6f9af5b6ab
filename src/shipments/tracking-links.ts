/** A carrier as people write it, and where it shows a parcel to everybody; null: no address that is sure to work. */
interface PublicCarrier {
  readonly name: string;
  readonly link: ((number: string) => string) | null;
}

/** Of no country. */
const DHL_PAGES = 'https://www.dhl.com/global-en/home';

/**
 * By the key of the carrier, with which those of its services begin. Only addresses that take the number alone: some carriers
 * want a postal code or a captcha besides, and others have one address a country.
 */
const CARRIERS: ReadonlyMap<string, PublicCarrier> = new Map(
  Object.entries({
    usps: { name: 'USPS', link: (number) => `https://tools.usps.com/go/TrackConfirmAction?tLabels=${number}` },
    ups: { name: 'UPS', link: (number) => `https://www.ups.com/track?tracknum=${number}` },
    fedex: { name: 'FedEx', link: (number) => `https://www.fedex.com/fedextrack/?trknbr=${number}` },
    dhl: { name: 'DHL', link: (number) => `${DHL_PAGES}/tracking.html?tracking-id=${number}` },
    deutschepost: { name: 'Deutsche Post', link: null },
    royalmail: {
      name: 'Royal Mail',
      link: (number) => `https://www.royalmail.com/track-your-item#/tracking-results/${number}`,
    },
    evri: { name: 'Evri', link: (number) => `https://www.evri.com/track/parcel/${number}` },
    hermes: { name: 'Hermes', link: null },
    dpd: { name: 'DPD', link: null },
    gls: { name: 'GLS', link: (number) => `https://gls-group.eu/EU/en/parcel-tracking?match=${number}` },
    canadapost: {
      name: 'Canada Post',
      link: (number) => `https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor=${number}`,
    },
    correios: { name: 'Correios', link: null },
    ontrac: { name: 'OnTrac', link: null },
    amazon: { name: 'Amazon', link: null },
    auspost: { name: 'Australia Post', link: (number) => `https://auspost.com.au/mypost/track/#/details/${number}` },
    australiapost: {
      name: 'Australia Post',
      link: (number) => `https://auspost.com.au/mypost/track/#/details/${number}`,
    },
  }),
);

/** Other names of theirs, by the keys above. */
const NAMES_IN_FULL: ReadonlyMap<string, string> = new Map(
  Object.entries({
    unitedparcelservice: 'ups',
    federalexpress: 'fedex',
    uspostalservice: 'usps',
    unitedstatespostalservice: 'usps',
  }),
);

/**
 * How a parcel is shown to its customer. A service that the shop names with the carrier (`FedEx Ground`) stays as it was written; a
 * carrier that is not known is written as the shop does. A pure function.
 * @param carrierKey letters and digits of `carrier` in lower case
 */
export function publicParcel({
  carrier,
  carrierKey,
  trackingNumber,
}: {
  readonly carrier: string;
  readonly carrierKey: string;
  readonly trackingNumber: string;
}): { readonly carrier: string; readonly trackingUrl: string | null } {
  const key = NAMES_IN_FULL.get(carrierKey) ?? carrierKey;
  const exact = CARRIERS.get(key);
  const of = exact ?? [...CARRIERS].find(([start]) => key.startsWith(start) && isService(key, start))?.[1];
  const number = encodeURIComponent(trackingNumber.replace(/[\s-]/g, ''));
  return { carrier: exact?.name ?? carrier, trackingUrl: of?.link?.(number) ?? null };
}

/** Services of a carrier begin with its name; so does `upsilon`, and that one is somebody else. */
const SERVICES =
  /^(ground|express|priority|surepost|smartpost|home|standard|next|2nd|paket|parcel|first|mail|tracked|48|24)/;

function isService(key: string, carrier: string): boolean {
  return SERVICES.test(key.slice(carrier.length));
}
