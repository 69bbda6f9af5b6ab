import type { Deps } from '../deps.js';
import type { RenderedLetter } from './render.js';
import { renderedOf } from './write-letters.js';

/** Subject and text of the newest letter to this address; empty when there is none. */
export async function findMailText({ db, texts }: Pick<Deps, 'db' | 'texts'>, toAddress: string): Promise<string> {
  const message = await db.prisma.message.findFirst({
    where: { toAddress, status: 'sent' },
    orderBy: { createdAt: 'desc' },
  });
  if (!message) return '';
  const { letter, rendered } = message;
  const { subject, text } = renderedOf({ letter, rendered: rendered as RenderedLetter | null }, texts);
  return `To: ${toAddress}\nSubject: ${subject}\n\n${text.trimEnd()}`;
}
