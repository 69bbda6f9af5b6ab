import { easypost } from '../../dist/src/carriers/easypost/adapter.js';

export const SOURCE = easypost.source;
export const SECRET = 'bench-secret-of-easypost';
/** Of a webhook with one scan, address and all. */
const BYTES = 600;

/** The nth webhook: of a parcel of its own, with a scan that nobody else tells, as of when it was made; 600 bytes. */
export function bodyOf(n) {
  const number = `94${String(n).padStart(18, '0')}`;
  const at = new Date(Date.UTC(2026, 10, 1) + (n % 1_000_000) * 1_000).toISOString();
  const event = {
    id: `evt_${n}`,
    object: 'Event',
    description: 'tracker.updated',
    created_at: at,
    result: {
      id: `trk_${n}`,
      object: 'Tracker',
      tracking_code: number,
      carrier: 'USPS',
      status: 'in_transit',
      status_detail: 'departed_facility',
      updated_at: at,
      tracking_details: [
        {
          message: 'Departed Facility',
          status: 'in_transit',
          status_detail: 'departed_facility',
          datetime: at,
          tracking_location: { city: 'NASHUA', state: 'NH' },
        },
      ],
      public_url: '',
    },
  };
  event.result.public_url = 'https://track.example/'.padEnd(BYTES - JSON.stringify(event).length, '0');
  const body = Buffer.from(JSON.stringify(event));
  if (body.length !== BYTES) throw new Error(`a webhook of ${body.length} bytes`);
  return body;
}

/** The headers that the source signs it with. */
export const signatureOf = (body) => easypost.sign({ rawBody: body, secret: SECRET, now: new Date() });
