import type { Deps } from '../deps.js';
import { type RenderedLetter, renderLetter } from './render.js';
import { reviveLetter } from './write-letters.js';

/** Subject and text of the newest letter to this address; empty when there is none. */
export async function findMailText({ db, texts }: Pick<Deps, 'db' | 'texts'>, toAddress: string): Promise<string> {
  const message = await db.prisma.message.findFirst({
    where: { toAddress, status: 'sent' },
    orderBy: { createdAt: 'desc' },
  });
  if (!message) return '';
  const asSent = message.rendered as RenderedLetter | null;
  const { subject, text } = asSent ?? renderLetter(reviveLetter(message.letter), texts);
  return `To: ${toAddress}\nSubject: ${subject}\n\n${text.trimEnd()}`;
}
