import { CronExpressionParser } from 'cron-parser';

/** True for a cron pattern of five or six fields that BullMQ can follow. */
export function isCronPattern(pattern: string): boolean {
  if (pattern.trim().split(/\s+/).length < 5) return false;
  try {
    CronExpressionParser.parse(pattern);
    return true;
  } catch {
    return false;
  }
}
