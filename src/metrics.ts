import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What this process counts since it started, for Prometheus. Labels are names of ours: never what a stranger wrote. */
export interface Metrics {
  readonly registry: Registry;
  /** `outcome`: stored, ignored, handshake, malformed, bad_signature, another_carriers, unavailable. */
  readonly webhooks: Counter<'source' | 'outcome'>;
  readonly scans: Counter<'source' | 'news'>;
  readonly unknownCodes: Counter<'source'>;
  /** `limit`: key, sender, wrong_keys, refusals. */
  readonly rateLimited: Counter<'limit'>;
  /** Set when the metrics are asked for, of all processes together. */
  readonly openAlarms: Gauge<'kind'>;
  /** As openAlarms. `status`: pending, held, awaiting_approval, failed. */
  readonly waitingAwards: Gauge<'status'>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    webhooks: new Counter({
      name: 'makegood_webhooks_total',
      help: 'Webhooks received, by source and what became of them',
      labelNames: ['source', 'outcome'],
      registers,
    }),
    scans: new Counter({
      name: 'makegood_scans_total',
      help: 'Scans in stored webhooks, by source and whether they were new or known',
      labelNames: ['source', 'news'],
      registers,
    }),
    unknownCodes: new Counter({
      name: 'makegood_unknown_codes_total',
      help: 'New scans with a word that the table of their source does not have; makegood doctor lists the words',
      labelNames: ['source'],
      registers,
    }),
    rateLimited: new Counter({
      name: 'makegood_rate_limited_total',
      help: 'Requests that were answered 429, by the limit that they went beyond',
      labelNames: ['limit'],
      registers,
    }),
    openAlarms: new Gauge({
      name: 'makegood_open_alarms',
      help: 'Alarms that nobody has cleared, by kind',
      labelNames: ['kind'],
      registers,
    }),
    waitingAwards: new Gauge({
      name: 'makegood_waiting_awards',
      help: 'Awards that are not granted yet, by status',
      labelNames: ['status'],
      registers,
    }),
  };
}
