// What a bot does in voice, with @discordjs/voice: joins, plays, listens, and tells of every change.
import './frames.js';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createAudioPlayer, createAudioResource, EndBehaviorType, joinVoiceChannel, StreamType } from '@discordjs/voice';
import { tell } from './lines.mjs';

const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);

/** The commands of a bot. @param {(guild: string, change: any) => import('@discordjs/voice').DiscordGatewayAdapterCreator} adapterOf */
export function talker(adapterOf) {
  const player = createAudioPlayer();
  const heard = new Map();
  let connection;

  player.on('stateChange', (before, after) => before.status === after.status || tell({ event: 'player', status: after.status }));
  player.on('error', error => tell({ event: 'error', of: 'player', text: String(error) }));

  /** What was received of a user so far, and who waits for more of it. */
  function listenTo(user) {
    let ear = heard.get(user);
    if (ear) return ear;
    heard.set(user, ear = { numbers: [], silences: 0, other: 0, waiting: [] });
    const stream = connection.receiver.subscribe(user, { end: { behavior: EndBehaviorType.Manual } });
    stream.on('error', error => tell({ event: 'error', of: `what ${user} sent`, text: String(error) }));
    stream.on('data', frame => {
      const counted = opusFrames.read(frame);
      if (counted) ear.numbers.push(counted.number);
      else if (SILENCE.equals(frame)) ear.silences++;
      else ear.other++;
      ear.waiting = ear.waiting.filter(({ over, done }) => !over(ear) || done());
    });
    return ear;
  }

  /** Resolves when it is so. */
  const until = (ear, over) => new Promise(done => over(ear) ? done() : ear.waiting.push({ over, done }));

  const taken = ({ numbers, silences, other }) => ({ numbers, silences, other });

  return {
    /** via: connect there instead of the endpoint that the gateway names. wrong: a token or session_id to give the library
     * instead of the true one, as often as `times` says. */
    join({ guild, channel, via, wrong, times }) {
      const change = {
        state: state => wrong?.session_id && times-- > 0 ? { ...state, session_id: wrong.session_id } : state,
        server: server => {
          tell({ event: 'server', endpoint: server.endpoint });
          return {
            ...server, endpoint: server.endpoint && (via ?? server.endpoint), token: wrong?.token && times-- > 0 ? wrong.token : server.token,
          };
        },
      };
      connection = joinVoiceChannel({
        guildId: guild, channelId: channel, selfDeaf: false, selfMute: false, adapterCreator: adapterOf(guild, change), debug: true,
      });
      connection.subscribe(player);
      connection.on('stateChange', (before, after) => {
        if (after.networking !== before.networking) after.networking?.once('close', code => tell({ event: 'closed', code }));
        if (after.status !== before.status) tell({ event: 'connection', status: after.status });
      });
      connection.on('error', error => tell({ event: 'error', of: 'connection', text: String(error) }));
      connection.on('debug', text => tell({ event: 'debug', text }));
    },

    move({ channel }) {
      connection.rejoin({ ...connection.joinConfig, channelId: channel });
    },

    leave() {
      connection.destroy();
    },

    listen({ user }) {
      listenTo(user);
    },

    /** Waits for a frame with this number. */
    async heard({ user, number }) {
      const ear = listenTo(user);
      await until(ear, ({ numbers }) => numbers.includes(number));
      return taken(ear);
    },

    /** Waits for as many more numbered frames. */
    async more({ user, count }) {
      const ear = listenTo(user);
      const enough = ear.numbers.length + count;
      await until(ear, ({ numbers }) => numbers.length >= enough);
      return taken(ear);
    },

    /** Waits for as many frames of silence. */
    async silences({ user, count }) {
      const ear = listenTo(user);
      await until(ear, ({ silences }) => silences >= count);
      return taken(ear);
    },

    taken({ user }) {
      return taken(listenTo(user));
    },

    /** Sends frames from, from + 1, ... */
    play({ sender, from, count }) {
      let next = from;
      const source = new Readable({
        objectMode: true,
        read() {
          this.push(next < from + count ? Buffer.from(opusFrames.make(sender, next++)) : null);
        },
      });
      player.play(createAudioResource(source, { inputType: StreamType.Opus }));
    },

    /** An Ogg Opus file, as often as `times` says. */
    playFile({ path, times = 1 }) {
      const start = () => player.play(createAudioResource(createReadStream(path), { inputType: StreamType.OggOpus }));
      player.on('idle', () => --times > 0 && start());
      start();
    },

    pause() {
      player.pause();
    },

    unpause() {
      player.unpause();
    },

    stop() {
      player.removeAllListeners('idle');
      player.stop();
    },
  };
}
