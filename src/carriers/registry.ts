import type { CarrierAdapter } from './adapter.js';
import { easypost } from './easypost/adapter.js';

/** Every source of webhooks the product understands. A new one is its folder and its line here. */
export const CARRIERS: readonly CarrierAdapter[] = [easypost];

const bySource = new Map(CARRIERS.map((carrier) => [carrier.source, carrier]));

/** The adapter behind `POST /webhooks/{source}`, by its exact name; null for any other text. */
export function findCarrier(source: string): CarrierAdapter | null {
  return bySource.get(source) ?? null;
}
