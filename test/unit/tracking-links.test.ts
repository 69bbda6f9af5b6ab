import { expect, test } from '@jest/globals';
import { carrierKeyOf } from '../../src/carriers/matching.js';
import { publicParcel } from '../../src/shipments/tracking-links.js';

const DHL_PAGES = 'https://www.dhl.com/global-en/home';
const shown = (carrier: string, trackingNumber = '1Z 999-1') =>
  publicParcel({ carrier, carrierKey: carrierKeyOf(carrier), trackingNumber });

test.each([
  ['usps', 'USPS', 'https://tools.usps.com/go/TrackConfirmAction?tLabels=1Z9991'],
  ['UPS', 'UPS', 'https://www.ups.com/track?tracknum=1Z9991'],
  ['fedex', 'FedEx', 'https://www.fedex.com/fedextrack/?trknbr=1Z9991'],
  ['Federal Express', 'FedEx', 'https://www.fedex.com/fedextrack/?trknbr=1Z9991'],
  ['FedEx Ground', 'FedEx Ground', 'https://www.fedex.com/fedextrack/?trknbr=1Z9991'],
  ['dhl', 'DHL', `${DHL_PAGES}/tracking.html?tracking-id=1Z9991`],
  ['royal_mail', 'Royal Mail', 'https://www.royalmail.com/track-your-item#/tracking-results/1Z9991'],
  ['Evri', 'Evri', 'https://www.evri.com/track/parcel/1Z9991'],
  ['gls', 'GLS', 'https://gls-group.eu/EU/en/parcel-tracking?match=1Z9991'],
  ['canada-post', 'Canada Post', 'https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor=1Z9991'],
])('%s is written as people do, with the address of its carrier', (carrier, name, trackingUrl) => {
  expect(shown(carrier)).toEqual({ carrier: name, trackingUrl });
});

test.each([
  ['correios', 'Correios'],
  ['dpd', 'DPD'],
  ['Hermes', 'Hermes'],
  ['Upsilon Couriers', 'Upsilon Couriers'],
  ['Bob’s Bikes', 'Bob’s Bikes'],
  ['constructor', 'constructor'],
])('%s has no address that is sure to work', (carrier, name) => {
  expect(shown(carrier)).toEqual({ carrier: name, trackingUrl: null });
});

test('whatever a number holds, it stays one part of the address', () => {
  const { trackingUrl } = shown('ups', '1Z"><script>&x=1#y');
  expect(trackingUrl).toBe('https://www.ups.com/track?tracknum=1Z%22%3E%3Cscript%3E%26x%3D1%23y');
});
