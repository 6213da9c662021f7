// node discord-bot.mjs API TOKEN: a whole discord.js bot. That its REST address is ours is all that it is told.
import { Client, Events, GatewayIntentBits } from 'discord.js';
import { obey, tell } from './lines.mjs';
import { talker } from './talker.mjs';

const [api, token] = process.argv.slice(2);
const client = new Client({ intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates], rest: { api } });
client.on(Events.Error, error => tell({ event: 'error', of: 'client', text: String(error) }));
client.on(Events.VoiceStateUpdate, (before, after) => tell({ event: 'voice', user: after.id, channel: after.channelId, mute: after.serverMute }));
client.once(Events.ClientReady, () => obey({
  ...talker(guild => client.guilds.cache.get(guild).voiceAdapterCreator),

  /** Who is in a channel, as discord.js knows it. */
  members: ({ guild, channel }) => client.guilds.cache.get(guild).channels.cache.get(channel).members.map(member => member.user.username),
}));
await client.login(token);
