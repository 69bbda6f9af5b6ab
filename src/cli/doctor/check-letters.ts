import type { Config } from '../../config.js';
import { AppError } from '../../errors.js';
import { loadLetterTexts } from '../../messages/load-letter-texts.js';
import { type Check, fault, ok, warning } from './check.js';

/** What letters say and when they leave, as far as the environment decides it. */
export async function checkLetters(config: Config): Promise<Check[]> {
  return [...(await checkTexts(config)), ...checkLinks(config), ...checkHours(config)];
}

async function checkTexts({ letterTextsDir }: Config): Promise<Check[]> {
  try {
    const texts = await loadLetterTexts(letterTextsDir);
    return [ok('letters', `their texts are whole, in ${[...texts.keys()].join(', ')}`)];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const advice = 'mend the text; makegood mail preview shows whether it is right';
    return error.errors.map(({ field, message }) => fault('letters', `${field}: ${message}`, advice));
  }
}

/** Letters reach real customers from the day on which there is a mail server. */
function checkLinks({ smtpUrl, publicUrl }: Config): Check[] {
  const { hostname, protocol } = new URL(publicUrl);
  const isHere =
    hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.') || hostname === '0.0.0.0';
  if (smtpUrl === null || (!isHere && protocol === 'https:')) return [];
  const detail = `links in letters lead to ${publicUrl}, ${isHere ? 'which customers cannot reach' : 'which is not encrypted'}`;
  return [warning('links', detail, 'set PUBLIC_URL to where customers reach this server, with https')];
}

function checkHours({ smtpUrl, quietHours }: Config): Check[] {
  if (smtpUrl === null) return [];
  if (quietHours !== null) {
    return [ok('quiet hours', `no letter leaves from ${quietHours.from} until ${quietHours.until} where it goes to`)];
  }
  return [warning('quiet hours', 'letters leave at any time, also at night', 'set QUIET_HOURS, as 21:00-08:00')];
}
