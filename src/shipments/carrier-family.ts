/**
 * Whether a parcel registered with the carrier `carrierKey` is one of `carrier`, a carrier that reports itself: also where the
 * shop names a service of it, as `FedEx Ground` or `DHL Paket`. Both are letters and digits in lower case.
 */
export function isOfCarrier(carrierKey: string, carrier: string): boolean {
  return carrierKey.startsWith(carrier);
}
