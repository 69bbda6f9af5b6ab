import type { CarrierAdapter } from './adapter.js';
import { aftership } from './aftership/adapter.js';
import { dhl } from './dhl/adapter.js';
import { easypost } from './easypost/adapter.js';
import { fedex } from './fedex/adapter.js';
import { karrio } from './karrio/adapter.js';
import { sendcloud } from './sendcloud/adapter.js';
import { seventeentrack } from './seventeentrack/adapter.js';
import { ship24 } from './ship24/adapter.js';
import { shipengine } from './shipengine/adapter.js';
import { shippo } from './shippo/adapter.js';
import { trackingmore } from './trackingmore/adapter.js';
import { ups } from './ups/adapter.js';
import { usps } from './usps/adapter.js';

/** Every source of webhooks the product understands. A new one is its folder and its line here. */
export const CARRIERS: readonly CarrierAdapter[] = [
  easypost,
  shippo,
  aftership,
  shipengine,
  seventeentrack,
  karrio,
  ups,
  fedex,
  usps,
  dhl,
  sendcloud,
  trackingmore,
  ship24,
];

const bySource = new Map(CARRIERS.map((carrier) => [carrier.source, carrier]));

/** The adapter behind `POST /webhooks/{source}`, by its exact name; null for any other text. */
export function findCarrier(source: string): CarrierAdapter | null {
  return bySource.get(source) ?? null;
}
