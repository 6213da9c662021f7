// As little of a main gateway's client as @discordjs/voice needs behind its adapter: what a bot does that uses another
// gateway library, or none. It identifies, sends op 4, and hands the two events of its own voice on.
import { tell } from './lines.mjs';

const Op = { Dispatch: 0, Heartbeat: 1, Identify: 2, VoiceStateUpdate: 4, Hello: 10 };
const Intents = { Guilds: 1 << 0, GuildVoiceStates: 1 << 7 };

export class Gateway {
  #socket;
  #user;
  #sequence = null;
  #adapters = new Map();

  /** @param {string} address ws or wss @param {string} token */
  constructor(address, token) {
    this.#socket = new WebSocket(`${address}?v=10&encoding=json`);
    this.ready = new Promise((ready, refused) => {
      this.#socket.onmessage = ({ data }) => this.#received(JSON.parse(data), data, token, ready);
      this.#socket.onclose = ({ code, reason }) => refused(new Error(`the gateway closed: ${code} ${reason}`));
    });
  }

  /** An adapterCreator, as joinVoiceChannel wants it.
   * @param {string} guild
   * @param {{ state: (d: any) => any, server: (d: any) => any }} change what the library gets to see of the two events */
  adapter(guild, change) {
    return methods => {
      this.#adapters.set(guild, { methods, change });
      return { sendPayload: payload => this.#send(payload), destroy: () => this.#adapters.delete(guild) };
    };
  }

  #send(message) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #received({ op, d, s, t }, text, token, ready) {
    tell({ event: 'gateway', text });
    if (s !== null && s !== undefined) this.#sequence = s;
    if (op === Op.Hello) {
      setInterval(() => this.#send({ op: Op.Heartbeat, d: this.#sequence }), d.heartbeat_interval);
      const properties = { os: 'linux', browser: 'tests', device: 'tests' };
      this.#send({ op: Op.Identify, d: { token: `Bot ${token}`, intents: Intents.Guilds | Intents.GuildVoiceStates, properties } });
    } else if (op === Op.Dispatch) {
      if (t === 'READY') ready(this.#user = d.user.id);
      const adapter = this.#adapters.get(d.guild_id);
      if (t === 'VOICE_STATE_UPDATE' && d.user_id === this.#user) adapter?.methods.onVoiceStateUpdate(adapter.change.state(d));
      if (t === 'VOICE_SERVER_UPDATE') adapter?.methods.onVoiceServerUpdate(adapter.change.server(d));
    }
  }
}
