import { postScan } from './program.mjs';

/** Sends webhooks over so many connections until it is told to end. What is under way then may be answered or not. */
export async function postsUntil(url, connections, isOver) {
  let answered = 0;
  let unanswered = 0;
  const connection = async (n) => {
    while (!isOver()) {
      try {
        await postScan(url, `N${n}`);
        answered++;
      } catch (error) {
        if (!isOver()) throw error;
        unanswered++;
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, n) => connection(n)));
  return { answered, unanswered };
}
