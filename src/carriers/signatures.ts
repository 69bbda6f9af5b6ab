import { hash, timingSafeEqual } from 'node:crypto';

/**
 * True when both are the same bytes; strings count as UTF-8. Takes the same time wherever the two differ and never
 * throws: the digests are compared, which are equally long whatever was sent, because `timingSafeEqual` throws on
 * unequal lengths and a check of the lengths beforehand would tell a stranger how long the right answer is.
 */
export function equalInConstantTime(a: string | Buffer, b: string | Buffer): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/**
 * True when `check` holds for one of the secrets. All of them are checked, so that the time does not tell which one
 * matched while keys rotate. An empty secret is never checked: a variable left blank must not let everybody in.
 */
export function anySecret(secrets: readonly string[], check: (secret: string) => boolean): boolean {
  let matched = false;
  for (const secret of secrets) {
    if (secret !== '' && check(secret)) matched = true;
  }
  return matched;
}
