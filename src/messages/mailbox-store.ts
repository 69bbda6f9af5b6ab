import type { Database } from '../db/database.js';
import { renderLetter } from './render.js';
import { reviveLetter } from './write-letters.js';

/** Subject and text of the newest letter to this address; empty when there is none. */
export async function findMailText(db: Database, toAddress: string): Promise<string> {
  const message = await db.prisma.message.findFirst({
    where: { toAddress, status: 'sent' },
    orderBy: { createdAt: 'desc' },
  });
  if (!message) return '';
  const { subject, text } = renderLetter(reviveLetter(message.letter));
  return `To: ${toAddress}\nSubject: ${subject}\n\n${text.trimEnd()}`;
}
