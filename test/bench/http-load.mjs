/**
 * The load of webhooks, in a process of its own: connections that are kept alive, each of which sends the next request when the
 * last is answered. Requests are written and signed before the clock starts.
 *
 * Told `{ prepare: { url, from, count } }` it makes the requests, and told `{ prepare: { urls, mix, events, at } }` those of a mix, for
 * several servers that take turns; told `{ send: connections }` it sends all of them once and says
 * how fast they were answered, in milliseconds and requests a second, and with what.
 */
import { connect } from 'node:net';
import { bodyOf, SOURCE, signatureOf } from './door-events.mjs';
import { signedWebhooks } from './line-mix.mjs';
import { percentile } from './paired-runs.mjs';

const END_OF_HEAD = '\r\n\r\n';
let requests = [];
let targets = [];

process.on('message', async ({ prepare: wanted, send: connections }) => {
  if (wanted) prepare(wanted);
  process.send(wanted ? { prepared: requests.length } : await sendAll(connections));
});
process.on('disconnect', () => process.exit());

function prepare({ url, urls = [url], mix, events, at, from, count }) {
  targets = urls.map((one) => new URL(one));
  const webhooks = mix ? signedWebhooks(mix, events, new Date(at)) : fresh(from, count);
  requests = webhooks.map(requestOf);
}

function fresh(from, count) {
  return Array.from({ length: count }, (_, index) => {
    const rawBody = bodyOf(from + index);
    return { rawBody, headers: { 'content-type': 'application/json', ...signatureOf(rawBody) } };
  });
}

/** Any of the servers may be sent any of them: what they are called is not looked at. */
function requestOf({ rawBody, headers }) {
  const all = { host: targets[0].host, ...headers, 'content-length': rawBody.length };
  const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}`);
  const head = [`POST /webhooks/${SOURCE} HTTP/1.1`, ...lines].join('\r\n');
  return Buffer.concat([Buffer.from(head + END_OF_HEAD), rawBody]);
}

async function sendAll(connections) {
  const seen = { accepted: 0, duplicates: 0, statuses: {}, latencies: [] };
  const sockets = await Promise.all(
    Array.from({ length: connections }, (_, nth) => open(targets[nth % targets.length])),
  );
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(sockets.map((socket) => converse(socket, () => requests[next++], seen)));
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const socket of sockets) socket.destroy();
  const { latencies, ...counts } = seen;
  return {
    ...counts,
    rate: latencies.length / seconds,
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    p99: percentile(latencies, 0.99),
  };
}

function open(target) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.hostname, port: Number(target.port), noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends what is next, as long as there is some. */
function converse(socket, nextRequest, seen) {
  return new Promise((resolve, reject) => {
    let buffered = '';
    let sentAt = 0;
    const send = () => {
      const request = nextRequest();
      if (request === undefined) return resolve();
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server has closed a connection')));
    socket.setEncoding('latin1').on('data', (chunk) => {
      buffered += chunk;
      const head = buffered.indexOf(END_OF_HEAD);
      if (head < 0) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(buffered.slice(0, head))?.[1]);
      const answer = buffered.slice(head + END_OF_HEAD.length);
      if (answer.length < length) return;
      const answered = buffered;
      buffered = '';
      seen.latencies.push(performance.now() - sentAt);
      const status = Number(answered.slice(9, 12));
      seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
      if (status === 200) {
        const { accepted, duplicates } = JSON.parse(answer);
        seen.accepted += accepted;
        seen.duplicates += duplicates;
      }
      send();
    });
    send();
  });
}
