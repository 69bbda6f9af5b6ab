import type { CarrierAdapter } from '../adapter.js';
import { parseSendcloud } from './parse.js';
import { sendcloudVerifier, signSendcloud } from './verify.js';

/** Sendcloud: an aggregator that sends one change of status at a time, signed over the raw body. See README.md. */
export const sendcloud: CarrierAdapter = {
  source: 'sendcloud',
  title: 'Sendcloud',
  secretVariable: 'SENDCLOUD_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: sendcloudVerifier,
  parse: parseSendcloud,
  sign: signSendcloud,
};
