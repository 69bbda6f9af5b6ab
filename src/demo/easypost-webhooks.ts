import { randomUUID } from 'node:crypto';
import type { DemoScan, Story } from './stories.js';

/** The webhook that EasyPost sends when a tracker has these scans: the whole tracker each time, oldest scan first. */
function easypostWebhook(story: Story, scans: readonly DemoScan[]): Buffer {
  const latest = scans.at(-1);
  const event = {
    id: `evt_${randomUUID().replaceAll('-', '')}`,
    object: 'Event',
    mode: 'production',
    description: scans.length === 1 ? 'tracker.created' : 'tracker.updated',
    created_at: latest?.at,
    updated_at: latest?.at,
    status: 'pending',
    result: {
      id: `trk_${story.trackingNumber}`,
      object: 'Tracker',
      mode: 'production',
      tracking_code: story.trackingNumber,
      carrier: story.carrier,
      status: latest?.status,
      status_detail: latest?.detail,
      est_delivery_date: null,
      tracking_details: scans.map(({ at, status, detail, message, city }) => ({
        object: 'TrackingDetail',
        message,
        status,
        status_detail: detail,
        datetime: at,
        source: story.carrier,
        tracking_location: { object: 'TrackingLocation', city, state: null, country: null, zip: null },
      })),
    },
  };
  return Buffer.from(JSON.stringify(event));
}

/** One webhook a scan, as the tracker grows. */
export function webhooksUntil(story: Story, until: Date): Buffer[] {
  const known = story.scans.filter(({ at }) => new Date(at) <= until);
  return known.map((_, index) => easypostWebhook(story, known.slice(0, index + 1)));
}

/** The same items in another order, the same each time: a demo that fails must fail again. */
export function scrambled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed;
  for (let last = result.length - 1; last > 0; last--) {
    // A linear congruential generator (Numerical Recipes); its high bits are random enough to shuffle with.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = (state >>> 16) % (last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
