// The bots' talk with the tests: a JSON object a line. In: {id, do, ...}; out: {answer: id, ...} to each, and events between.
import { createInterface } from 'node:readline';

export function tell(message) {
  process.stdout.write(JSON.stringify(message) + '\n');
}

/** Obeys until the input ends, then ends. @param {Record<string, (command: any) => any>} commands by the name in `do` */
export async function obey(commands) {
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => process.exit(0));
  lines.on('line', async line => {
    const command = JSON.parse(line);
    try {
      tell({ answer: command.id, result: (await commands[command.do](command)) ?? null });
    } catch (error) {
      tell({ answer: command.id, error: String(error.stack ?? error) });
    }
  });
  tell({ event: 'up' });
}
