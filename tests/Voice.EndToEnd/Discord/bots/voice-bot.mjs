// node voice-bot.mjs GATEWAY TOKEN: a bot with @discordjs/voice and a gateway client of its own.
import { Gateway } from './gateway.mjs';
import { obey } from './lines.mjs';
import { talker } from './talker.mjs';

const [address, token] = process.argv.slice(2);
const gateway = new Gateway(address, token);
await gateway.ready;
obey(talker((guild, change) => gateway.adapter(guild, change)));
