/**
 * A mail server in a process of its own that takes everything at once and keeps the Message-IDs. Says its port when it listens; told
 * `count` it says how many mails it has and of how many Message-IDs, and forgets them.
 */
import { createServer } from 'node:net';

let ids = [];

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  let buffered = '';
  let inMessage = false;
  const say = (line) => socket.write(`${line}\r\n`);
  const command = (line) => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') say('250-sink\r\n250-PIPELINING\r\n250 8BITMIME');
    else if (verb === 'DATA') {
      inMessage = true;
      say('354 go ahead');
    } else if (verb === 'QUIT') socket.end('221 bye\r\n');
    else say('250 ok');
  };
  socket.setEncoding('latin1').on('data', (chunk) => {
    buffered += chunk;
    for (;;) {
      const end = buffered.indexOf(inMessage ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const part = buffered.slice(0, end);
      buffered = buffered.slice(end + (inMessage ? 5 : 2));
      if (inMessage) {
        inMessage = false;
        // A long one stands on a line of its own.
        ids.push(/^message-id:\s*(\S+)/im.exec(part)?.[1] ?? '');
        say('250 queued');
      } else command(part);
    }
  });
  say('220 sink ESMTP');
});

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => {
  process.send({ mails: ids.length, messageIds: new Set(ids).size });
  ids = [];
});
process.on('disconnect', () => process.exit());
