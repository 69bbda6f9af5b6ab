/** How the names begin under which shops know carriers that report themselves, and services of theirs. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  ups: ['ups', 'unitedparcelservice'],
  fedex: ['fedex', 'federalexpress'],
  usps: ['usps', 'uspostalservice', 'unitedstatespostalservice'],
  dhl: ['dhl', 'deutschepost'],
};

/**
 * Whether a parcel registered with the carrier `carrierKey` is one of `carrier`, a carrier that reports itself: also where the
 * shop names a service of it, as `FedEx Ground` or `DHL Paket`. Both are letters and digits in lower case.
 */
export function isOfCarrier(carrierKey: string, carrier: string): boolean {
  return (NAMES[carrier] ?? [carrier]).some((name) => carrierKey.startsWith(name));
}
