// @ts-check
// SPDX-License-Identifier: Apache-2.0

/**
 * A voice client for browsers: one module, no dependencies, for the page beside it and for anybody's own.
 *
 *     import { VoiceClient } from './voice-client.js';
 *     const voice = new VoiceClient({ gateway: 'wss://voice.example/', token });
 *     voice.addEventListener('state', event => console.log(event.detail.state));
 *     await voice.connect();
 *     await voice.join(guildId, channelId);
 *
 * It speaks to the main gateway (who is where) and to the voice server that the gateway assigns (WebSocket and WebRTC).
 * After a lost socket, a dead server or a move it finds its way back into the call by itself, until `leave()`.
 *
 * @module voice-client
 */

// ---------------------------------------------------------------------------------------------------------- types

/** @typedef {'Disconnected' | 'Awaiting Endpoint' | 'Connecting' | 'Authenticating' | 'RTC Connecting' | 'ICE Checking'
 *   | 'DTLS Connecting' | 'Voice Connected' | 'No Route'} CallState */

/** @typedef {{ id: string, username: string, global_name?: string | null }} User */
/** @typedef {{ user: User, nick?: string | null }} Member */
/** @typedef {{ id: string, type: number, name: string, position: number, bitrate: number, user_limit: number,
 *   rtc_region: string | null, parent_id?: string | null }} Channel */

/** Where one user is, and who silenced whom.
 * @typedef {object} VoiceState
 * @property {string} user_id
 * @property {string} session_id what the voice server asks for; changes with each join
 * @property {string | null} channel_id
 * @property {boolean} mute by a moderator
 * @property {boolean} deaf by a moderator
 * @property {boolean} self_mute
 * @property {boolean} self_deaf
 * @property {boolean} suppress
 * @property {string} [guild_id]
 * @property {Member} [member]
 */

/** @typedef {object} Guild
 * @property {string} id
 * @property {string} name
 * @property {string | null} region
 * @property {Map<string, Channel>} channels by id
 * @property {Map<string, Member>} members by user id
 * @property {Map<string, VoiceState>} voiceStates by user id, of those in a channel
 */

/** @typedef {{ guildId: string, channelId: string }} Call */

/** @typedef {object} CallStats
 * @property {number | null} rtt milliseconds to the voice server and back
 * @property {number} loss share of the packets sent to us that got lost, 0 to 1, since the call began
 * @property {number} recentLoss the same since the `stats` event before
 * @property {number} sentLoss share of our packets that the server missed
 * @property {number} packetsSent
 * @property {string | null} cipher the SRTP protection profile in use
 * @property {{ userId: string, ssrc: number, packets: number, lost: number, concealed: number, jitter: number }[]} streams
 */

// -------------------------------------------------------------------------------------------------- small helpers

const GatewayOp = Object.freeze({
  Dispatch: 0, Heartbeat: 1, Identify: 2, VoiceStateUpdate: 4, VoiceServerPing: 5, Resume: 6, Reconnect: 7,
  InvalidSession: 9, Hello: 10, HeartbeatAck: 11,
});

const VoiceOp = Object.freeze({
  Identify: 0, SelectProtocol: 1, Ready: 2, Heartbeat: 3, SessionDescription: 4, Speaking: 5, HeartbeatAck: 6,
  Resume: 7, Hello: 8, Resumed: 9, ClientsConnect: 11, ClientDisconnect: 13, BackendVersion: 16, NoRoute: 32,
});

/** Guilds and their voice states: all that a voice client wants to hear of. */
const INTENTS = (1 << 0) | (1 << 7);

/** Close codes after which trying again cannot help: the token, or how we speak, is wrong. */
const FATAL_GATEWAY_CODES = new Set([4004, 4010, 4011, 4012, 4013, 4014]);

/** Milliseconds before the given attempt (0 is the first): 0.25-0.5 s, doubling up to 2.5-5 s. The spread keeps all the
 * clients of a restarted server from arriving together. @param {number} attempt */
const backOff = attempt => Math.min(5000, 500 * 2 ** attempt) * (0.5 + Math.random() / 2);

/** How long a connection has to last before the back-off begins anew. */
const STEADY = 5000;

/** The quickest of three heartbeats to a voice server and back, in milliseconds; null if it does not answer. A page can send no
 * UDP of its own, and heartbeats are answered before anybody identifies. @param {string} url @returns {Promise<number | null>} */
function roundTrip(url) {
  return new Promise(resolve => {
    const socket = new WebSocket(url);
    let sent = 0;
    let best = Infinity;
    let beats = 0;
    const done = () => {
      clearTimeout(timer);
      socket.close(1000);
      resolve(best < Infinity ? best : null);
    };
    const timer = setTimeout(done, 3000);
    const beat = () => {
      if (beats++ === 3) return done();
      sent = performance.now();
      socket.send(JSON.stringify({ op: VoiceOp.Heartbeat, d: { t: beats } }));
    };
    socket.onopen = beat;
    socket.onerror = done;
    socket.onmessage = event => {
      if (typeof event.data !== 'string' || JSON.parse(event.data).op !== VoiceOp.HeartbeatAck) return;
      best = Math.min(best, performance.now() - sent);
      beat();
    };
  });
}

/** Sends heartbeats, and says so when the other side stops answering them. */
class Heartbeat {
  /** @type {number | undefined} */ #timer;
  #unanswered = 0;

  /** @param {() => void} beat @param {() => void} lost @param {number} tolerated missed answers before `lost` */
  constructor(beat, lost, tolerated) {
    this.beat = beat;
    this.lost = lost;
    this.tolerated = tolerated;
  }

  /** @param {number} interval milliseconds @param {number} first milliseconds before the first beat */
  start(interval, first) {
    this.stop();
    const tick = () => {
      if (this.#unanswered++ > this.tolerated) return this.lost();
      this.beat();
      this.#timer = setTimeout(tick, interval);
    };
    this.#timer = setTimeout(tick, first);
  }

  answered() {
    this.#unanswered = 0;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#unanswered = 0;
  }
}

/** Event target whose events carry a `detail`. */
class Emitter extends EventTarget {
  /** @param {string} type @param {object} [detail] */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {string} type @param {(detail: any) => void} listener */
  on(type, listener) {
    this.addEventListener(type, event => listener(/** @type {CustomEvent} */ (event).detail));
    return this;
  }
}

// ---------------------------------------------------------------------------------------------------- main gateway

/** The WebSocket to the main gateway, kept up: it resumes where it broke off, or identifies anew when that is refused.
 * Events: `dispatch` {t, d}, `up` {resumed}, `down`, `failed` {code, reason} (for good). */
class GatewayConnection extends Emitter {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {{ id: string, sequence: number | null, url: string | null } | null} */ #session = null;
  /** @type {number | undefined} */ #retry;
  /** @type {number | undefined} */ #steady;
  #attempt = 0;
  #heartbeat = new Heartbeat(() => this.#beat(), () => this.#drop(4900, 'no heartbeat answer'), 0);

  /** @param {string} url @param {string} token */
  constructor(url, token) {
    super();
    this.url = url;
    this.token = token;
  }

  open() {
    // The server that holds the session may have an address of its own; it is tried once, and only if the scheme is one
    // that this page may use.
    const own = this.#attempt === 0 ? this.#session?.url : null;
    const url = new URL(own && new URL(own).protocol === new URL(this.url).protocol ? own : this.url);
    url.search = '?v=10&encoding=json';
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onmessage = event => socket === this.#socket && this.#receive(JSON.parse(event.data));
    socket.onclose = event => socket === this.#socket && this.#lost(event.code, event.reason);
  }

  /** @param {number} op @param {unknown} d @returns {boolean} whether there was an open socket to take it */
  send(op, d) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ op, d }));
    return true;
  }

  /** Ends the session: 1000 tells the gateway that we are gone. */
  close() {
    clearTimeout(this.#retry);
    clearTimeout(this.#steady);
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = null;
    this.#session = null;
    socket?.close(1000);
  }

  /** @param {{ op: number, d: any, s: number | null, t: string | null }} message */
  #receive({ op, d, s, t }) {
    switch (op) {
      case GatewayOp.Hello:
        this.#heartbeat.start(d.heartbeat_interval, d.heartbeat_interval * Math.random());
        if (this.#session) {
          this.send(GatewayOp.Resume, { token: this.token, session_id: this.#session.id, seq: this.#session.sequence });
        } else {
          this.#identify();
        }
        break;
      case GatewayOp.Dispatch:
        if (t === 'READY') this.#session = { id: d.session_id, sequence: s, url: d.resume_gateway_url ?? null };
        if (this.#session && s !== null) this.#session.sequence = s;
        this.emit('dispatch', { t, d });
        if (t === 'READY' || t === 'RESUMED') {
          this.#steady = setTimeout(() => { this.#attempt = 0; }, STEADY); // a sick server greets us too
          this.emit('up', { resumed: t === 'RESUMED' });
        }
        break;
      case GatewayOp.Heartbeat:
        this.#beat();
        break;
      case GatewayOp.HeartbeatAck:
        this.#heartbeat.answered();
        break;
      case GatewayOp.Reconnect:
        this.#drop(4901, 'asked to reconnect');
        break;
      case GatewayOp.InvalidSession:
        if (d === true) {
          this.#drop(4902, 'session not ready to resume');
        } else {
          this.#session = null;
          this.#retry = setTimeout(() => this.#identify(), backOff(0));
        }
        break;
    }
  }

  #identify() {
    this.send(GatewayOp.Identify, {
      token: this.token,
      intents: INTENTS,
      properties: { os: navigator.platform ?? '', browser: 'voice-client', device: '' },
    });
  }

  #beat() {
    this.send(GatewayOp.Heartbeat, this.#session?.sequence ?? null);
  }

  /** Closes a socket whose session should live on, so not with 1000 or 1001. @param {number} code @param {string} reason */
  #drop(code, reason) {
    const socket = this.#socket;
    this.#socket = null; // a dead peer answers no close handshake: do not wait for `onclose`
    socket?.close(code, reason);
    this.#lost(code, reason);
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    this.#socket = null;
    this.#heartbeat.stop();
    clearTimeout(this.#retry);
    clearTimeout(this.#steady);
    this.emit('down', { code, reason });
    if (FATAL_GATEWAY_CODES.has(code)) return this.emit('failed', { code, reason });
    if (code === 4007 || code === 4009) this.#session = null; // bad sequence, timed out: only a new session helps
    if (code === 4008) this.#attempt = Math.max(this.#attempt, 3); // rate limited
    this.#retry = setTimeout(() => this.open(), backOff(this.#attempt));
    this.#attempt++;
  }
}

// ------------------------------------------------------------------------------------- session descriptions, by hand

/** What a voice server needs of an offer: ICE credentials, the fingerprint, extension ids and the number of Opus.
 * @param {string} offer @returns {string} lines joined with \n */
export function fragmentOf(offer) {
  const wanted = /^a=(extmap-allow-mixed$|ice-(ufrag|pwd|options):|fingerprint:|extmap:|rtpmap:\d+ opus\/)/i;
  return [...new Set(offer.split(/\r?\n/).filter(line => wanted.test(line)))].join('\n');
}

/** @typedef {{ port: string, connection: string, ufrag: string, password: string, fingerprint: string,
 *   candidates: string[] }} ServerDescription */

/** Reads the `sdp` of a session description (op 4). @param {string} sdp @returns {ServerDescription} */
export function parseServerSdp(sdp) {
  const lines = sdp.split(/\r?\n/);
  /** @param {string} prefix */
  const value = prefix => {
    const line = lines.find(candidate => candidate.startsWith(prefix));
    if (line === undefined) throw new Error(`The voice server's description has no ${prefix} line`);
    return line.slice(prefix.length);
  };
  return {
    port: value('m=audio ').split(' ')[0],
    connection: value('c='),
    ufrag: value('a=ice-ufrag:'),
    password: value('a=ice-pwd:'),
    fingerprint: value('a=fingerprint:'),
    candidates: lines.filter(line => line.startsWith('a=candidate:')),
  };
}

/** The answer that the server would give to an offer, made here: the server is told of no renegotiation, it needs to know
 * only who sends which SSRC.
 * @param {string} offer
 * @param {ServerDescription} server
 * @param {Map<string, { userId: string, ssrc: number }>} senders who sends to us in which m-section, by mid
 */
export function answerTo(offer, server, senders) {
  const [session, ...sections] = offer.split(/\r?\n(?=m=)/).map(part => part.split(/\r?\n/).filter(Boolean));
  const mids = sections.map(lines => attribute(lines, 'a=mid:'));
  return [
    'v=0',
    'o=- 1420070400000 0 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=ice-lite',
    `a=group:BUNDLE ${mids.join(' ')}`,
    'a=msid-semantic: WMS *',
    ...(session.includes('a=extmap-allow-mixed') ? ['a=extmap-allow-mixed'] : []),
    ...sections.flatMap((lines, index) => answerSection(lines, server, senders.get(mids[index]))),
    '',
  ].join('\r\n');
}

/** @param {string[]} lines @param {string} prefix */
const attribute = (lines, prefix) => lines.find(line => line.startsWith(prefix))?.slice(prefix.length) ?? '';

/** @param {string[]} offered @param {ServerDescription} server @param {{ userId: string, ssrc: number } | undefined} sender */
function answerSection(offered, server, sender) {
  const payloadType = /^a=rtpmap:(\d+) opus\//im.exec(offered.join('\n'))?.[1] ?? '111';
  const audioLevel = offered.find(line => line.startsWith('a=extmap:') && line.endsWith('urn:ietf:params:rtp-hdrext:ssrc-audio-level'));
  const name = sender && `${sender.userId}-${sender.ssrc}`;
  return [
    `m=audio ${server.port} UDP/TLS/RTP/SAVPF ${payloadType}`,
    `c=${server.connection}`,
    ...server.candidates,
    `a=ice-ufrag:${server.ufrag}`,
    `a=ice-pwd:${server.password}`,
    `a=fingerprint:${server.fingerprint}`,
    'a=setup:passive',
    `a=mid:${attribute(offered, 'a=mid:')}`,
    `a=${answerDirection(offered, sender !== undefined)}`,
    'a=rtcp-mux',
    `a=rtpmap:${payloadType} opus/48000/2`,
    `a=fmtp:${payloadType} minptime=10;useinbandfec=1;usedtx=1`,
    'a=maxptime:60',
    // Not transport-wide-cc: the server sends no such feedback, and a sender that waits for it would slow down.
    ...(audioLevel ? [audioLevel] : []),
    // The SSRC stands only here: packets carry no MID, so this is how the browser knows whose they are.
    ...(name && sender ? [`a=msid:${name} a${name}`, `a=ssrc:${sender.ssrc} cname:${name}`] : []),
  ];
}

/** @param {string[]} offered @param {boolean} sends whether somebody sends to us in this section */
function answerDirection(offered, sends) {
  const receives = offered.includes('a=sendonly') || offered.includes('a=sendrecv');
  const wanted = offered.includes('a=recvonly') || offered.includes('a=sendrecv');
  return sends && wanted ? (receives ? 'sendrecv' : 'sendonly') : receives ? 'recvonly' : 'inactive';
}

// ----------------------------------------------------------------------------------------------------- media (WebRTC)

/** One peer connection to a voice server: our microphone in the first m-section, one more per remote user.
 * People come and go by renegotiating with ourselves. Events: `state` {ice, connection}. */
class MediaConnection extends Emitter {
  #peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  #microphone = this.#peer.addTransceiver('audio', { direction: 'sendonly' });
  /** @type {ServerDescription | null} */ #server = null;
  /** @type {Map<string, { ssrc: number, transceiver: RTCRtpTransceiver, stream: MediaStream }>} */ #remotes = new Map();
  /** Last RTP timestamp that `levels` saw of each user. @type {Map<string, number>} */ #seen = new Map();
  #settling = Promise.resolve();
  #dirty = false;
  #closed = false;
  /** @type {Promise<{ fragment: string, payloadType: number, ssrc: number }>} */ offered;

  constructor() {
    super();
    const report = () => this.emit('state', { ice: this.#peer.iceConnectionState, connection: this.#peer.connectionState });
    this.#peer.oniceconnectionstatechange = report;
    this.#peer.onconnectionstatechange = report;
    this.offered = this.#offer();
    this.offered.catch(() => {}); // whoever awaits it hears of it
  }

  /** What Select Protocol and Speaking say of us. */
  async #offer() {
    await this.#peer.setLocalDescription();
    const sdp = this.#peer.localDescription?.sdp ?? '';
    return {
      fragment: fragmentOf(sdp),
      payloadType: Number(/^a=rtpmap:(\d+) opus\//im.exec(sdp)?.[1]),
      ssrc: Number(/^a=ssrc:(\d+)/m.exec(sdp)?.[1] ?? 0),
    };
  }

  /** @param {string} sdp of op 4 @param {number} bitrate that the channel asks for */
  async accept(sdp, bitrate) {
    this.#server = parseServerSdp(sdp);
    await this.#peer.setRemoteDescription({ type: 'answer', sdp: this.#answer() });
    const parameters = this.#microphone.sender.getParameters();
    if (parameters.encodings?.length) {
      parameters.encodings[0].maxBitrate = bitrate;
      await this.#microphone.sender.setParameters(parameters);
    }
    if (this.#remotes.size > 0) this.#renegotiate(); // announced before op 4
  }

  /** @param {MediaStreamTrack | null} track */
  async send(track) {
    if (!this.#closed) await this.#microphone.sender.replaceTrack(track);
  }

  /** Somebody sends with this SSRC. @param {string} userId @param {number} ssrc @returns {MediaStream} what they say */
  addRemote(userId, ssrc) {
    const known = this.#remotes.get(userId);
    if (known?.ssrc === ssrc) return known.stream;
    // The m-section of somebody who left is taken again, so the description grows to the most people at a time.
    const transceiver = known?.transceiver
      ?? this.#peer.getTransceivers().find(idle => idle !== this.#microphone && idle.direction === 'inactive')
      ?? this.#peer.addTransceiver('audio', { direction: 'recvonly' });
    transceiver.direction = 'recvonly';
    const stream = known?.stream ?? new MediaStream([transceiver.receiver.track]);
    this.#remotes.set(userId, { ssrc, transceiver, stream });
    this.#renegotiate();
    return stream;
  }

  /** @param {string} userId */
  removeRemote(userId) {
    const remote = this.#remotes.get(userId);
    if (!remote) return;
    this.#remotes.delete(userId);
    this.#seen.delete(userId);
    if (this.#closed) return;
    remote.transceiver.direction = 'inactive';
    this.#renegotiate();
  }

  /** Changes made together settle in one round; those made while it runs in the next. */
  #renegotiate() {
    if (this.#dirty || !this.#server) return;
    this.#dirty = true;
    this.#settling = this.#settling.then(async () => {
      this.#dirty = false;
      if (this.#closed) return;
      await this.#peer.setLocalDescription(await this.#peer.createOffer());
      await this.#peer.setRemoteDescription({ type: 'answer', sdp: this.#answer() });
    }).catch(error => {
      if (!this.#closed) this.emit('failed', { error });
    });
  }

  #answer() {
    const senders = new Map();
    for (const [userId, { ssrc, transceiver }] of this.#remotes) {
      if (transceiver.mid !== null) senders.set(transceiver.mid, { userId, ssrc });
    }
    return answerTo(this.#peer.localDescription?.sdp ?? '', /** @type {ServerDescription} */ (this.#server), senders);
  }

  /** Loudness of each remote user now, 0 to 1, from the packets themselves; whoever sends none is silent. Bots' packets tell no
   * level: as they send none in silence, each counts as sound. `fresh`: there were packets since the last call. */
  * levels() {
    for (const [userId, { transceiver }] of this.#remotes) {
      const source = transceiver.receiver.getSynchronizationSources()[0];
      const fresh = source !== undefined && this.#seen.get(userId) !== source.rtpTimestamp;
      if (fresh) this.#seen.set(userId, source.rtpTimestamp);
      yield { userId, fresh, level: fresh ? source.audioLevel ?? 1 : 0 };
    }
  }

  /** @returns {Promise<CallStats>} */
  async stats() {
    const users = new Map([...this.#remotes].map(([userId, { ssrc }]) => [ssrc, userId]));
    /** @type {CallStats} */
    const stats = { rtt: null, loss: 0, recentLoss: 0, sentLoss: 0, packetsSent: 0, cipher: null, streams: [] };
    (await this.#peer.getStats()).forEach(report => {
      if (report.type === 'inbound-rtp' && users.has(report.ssrc)) {
        stats.streams.push({
          userId: users.get(report.ssrc) ?? '', ssrc: report.ssrc, packets: report.packetsReceived, lost: report.packetsLost,
          concealed: report.concealedSamples ?? 0, jitter: (report.jitter ?? 0) * 1000,
        });
      } else if (report.type === 'outbound-rtp') {
        stats.packetsSent += report.packetsSent ?? 0;
      } else if (report.type === 'remote-inbound-rtp') {
        stats.sentLoss = Math.max(0, report.fractionLost ?? 0);
        if (report.roundTripTime !== undefined) stats.rtt ??= report.roundTripTime * 1000;
      } else if (report.type === 'candidate-pair' && report.state === 'succeeded' && report.currentRoundTripTime !== undefined) {
        stats.rtt = report.currentRoundTripTime * 1000;
      } else if (report.type === 'transport') {
        stats.cipher = report.srtpCipher ?? null;
      }
    });
    const lost = stats.streams.reduce((sum, stream) => sum + Math.max(0, stream.lost), 0);
    const received = stats.streams.reduce((sum, stream) => sum + stream.packets, 0);
    stats.loss = lost / Math.max(1, lost + received);
    return stats;
  }

  close() {
    this.#closed = true;
    this.#peer.close();
  }
}

// --------------------------------------------------------------------------------------------------- voice WebSocket

/** What to do when the voice WebSocket has closed with the given code (voice-gateway.md section 7).
 * @param {number} code @returns {'resume' | 'rejoin' | 'wait' | 'stop'} */
export function reactionTo(code) {
  switch (code) {
    case 4013: case 4015: return 'resume'; // the server crashed, and knows us still
    case 4014: return 'wait'; // kicked, or moved: then a server update follows
    case 4022: return 'wait'; // everybody was sent away: likewise
    case 4017: case 4021: return 'stop'; // encryption demanded, rate limited
    default: return code < 4000 ? 'resume' : 'rejoin';
  }
}

/** A session at a voice server: its WebSocket, resumed when it breaks, and its media.
 * Events: `state` {state}, `speaking` {userId, ssrc, speaking}, `joined` {userId}, `left` {userId}, `broken`,
 * `ready` {node?, region?}, `version` {voice, rtc_worker}, `closed` {reaction, code, reason}. */
class VoiceConnection extends Emitter {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {number | undefined} */ #retry;
  /** @type {CallState} */ #state = 'Connecting';
  #sequence = -1;
  #identified = false;
  #attempt = 0;
  #over = false;
  #heartbeat = new Heartbeat(() => this.#beat(), () => this.#drop('no heartbeat answer'), 2);
  media = new MediaConnection();

  /** @param {{ endpoint: string, secure: boolean, guildId: string, userId: string, sessionId: string, token: string,
   *   bitrate: number }} options */
  constructor(options) {
    super();
    this.options = options;
    this.media.on('state', ({ ice, connection }) => this.#mediaState(ice, connection));
    this.media.on('failed', ({ error }) => this.#end('rejoin', 0, String(error)));
  }

  get connected() { return this.#state === 'Voice Connected'; }

  open() {
    const { endpoint, secure } = this.options;
    const socket = new WebSocket(`${secure ? 'wss' : 'ws'}://${endpoint}/?v=8`);
    this.#socket = socket;
    if (!this.#identified) this.#enter('Connecting');
    socket.onopen = () => socket === this.#socket && this.#hello();
    socket.onmessage = event => socket === this.#socket && typeof event.data === 'string' && this.#receive(JSON.parse(event.data));
    socket.onclose = event => socket === this.#socket && this.#lost(event.code, event.reason);
  }

  /** @param {number} flags 1 while we speak, else 0 */
  async sendSpeaking(flags) {
    const { ssrc } = await this.media.offered;
    this.#send(VoiceOp.Speaking, { speaking: flags, delay: 0, ssrc });
  }

  close() {
    this.#over = true;
    clearTimeout(this.#retry);
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.media.close();
  }

  #hello() {
    const { guildId, userId, sessionId, token } = this.options;
    if (this.#identified) {
      this.#send(VoiceOp.Resume, { server_id: guildId, session_id: sessionId, token, seq_ack: this.#sequence });
    } else {
      this.#enter('Authenticating');
      this.#send(VoiceOp.Identify, {
        server_id: guildId, user_id: userId, session_id: sessionId, token, video: false, streams: [], max_dave_protocol_version: 0,
      });
    }
  }

  /** @param {{ op: number, d: any, seq?: number }} message */
  #receive({ op, d, seq }) {
    if (seq !== undefined) this.#sequence = seq;
    switch (op) {
      case VoiceOp.Hello: {
        const interval = Math.min(d.heartbeat_interval, 5000);
        this.#heartbeat.start(interval, interval * Math.random());
        break;
      }
      case VoiceOp.HeartbeatAck:
        this.#heartbeat.answered();
        break;
      case VoiceOp.Ready:
        this.#identified = true;
        this.#attempt = 0;
        this.emit('ready', d);
        this.#enter('RTC Connecting');
        this.#selectProtocol();
        break;
      case VoiceOp.SessionDescription:
        this.media.accept(d.sdp, this.options.bitrate).catch(error => this.#end('rejoin', 0, String(error)));
        // Names our SSRC before its first packet, so that the others are ready for it.
        this.sendSpeaking(0).then(() => this.emit('described'));
        break;
      case VoiceOp.Resumed:
        this.#attempt = 0;
        break;
      case VoiceOp.Speaking:
        this.emit('speaking', { userId: String(d.user_id), ssrc: d.ssrc, speaking: d.speaking });
        break;
      case VoiceOp.ClientsConnect:
        for (const userId of d.user_ids) this.emit('joined', { userId: String(userId) });
        break;
      case VoiceOp.ClientDisconnect:
        this.emit('left', { userId: String(d.user_id) });
        break;
      case VoiceOp.BackendVersion:
        this.emit('version', d);
        break;
    }
  }

  async #selectProtocol() {
    const { fragment, payloadType } = await this.media.offered;
    this.#send(VoiceOp.SelectProtocol, {
      protocol: 'webrtc',
      data: fragment,
      sdp: fragment,
      codecs: [{ name: 'opus', type: 'audio', priority: 1000, payload_type: payloadType, rtx_payload_type: null }],
      rtc_connection_id: crypto.randomUUID?.(),
    });
    this.#send(VoiceOp.BackendVersion, {});
  }

  /** @param {RTCIceConnectionState} ice @param {RTCPeerConnectionState} connection */
  #mediaState(ice, connection) {
    if (this.#over) return;
    if (connection === 'connected') return this.#enter('Voice Connected');
    if (ice === 'failed') {
      this.#enter('No Route');
      this.#send(VoiceOp.NoRoute, {});
      return this.#end('rejoin', 0, 'no route to the voice server');
    }
    if (connection === 'failed') return this.#end('rejoin', 0, 'the secure connection failed');
    if (ice === 'checking' || ice === 'disconnected') this.#enter('ICE Checking');
    else if (ice === 'connected' || ice === 'completed') this.#enter('DTLS Connecting');
  }

  /** @param {CallState} state */
  #enter(state) {
    if (this.#state !== state) this.emit('state', { state });
    this.#state = state;
  }

  /** @param {number} op @param {unknown} d */
  #send(op, d) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ op, d }));
  }

  #beat() {
    this.#send(VoiceOp.Heartbeat, { t: Date.now(), seq_ack: this.#sequence });
  }

  /** @param {string} reason */
  #drop(reason) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(4900, reason);
    this.#lost(1006, reason);
  }

  /** The media goes on without the WebSocket; only the WebSocket is mended. @param {number} code @param {string} reason */
  #lost(code, reason) {
    this.#socket = null;
    this.#heartbeat.stop();
    const reaction = reactionTo(code);
    if (reaction !== 'resume') return this.#end(reaction, code, reason);
    this.emit('broken');
    if (!this.#identified || this.#attempt >= 3) return this.#end('rejoin', code, reason);
    this.#retry = setTimeout(() => this.open(), backOff(this.#attempt++));
  }

  /** @param {'rejoin' | 'wait' | 'stop' | 'resume'} reaction @param {number} code @param {string} reason */
  #end(reaction, code, reason) {
    if (this.#over) return;
    this.close();
    this.emit('closed', { reaction, code, reason });
  }
}

// ------------------------------------------------------------------------------------------------------------- audio

/** @type {AudioContext | null} */
let sharedContext = null;

/** One context for the meter and for amplification; browsers let it run once the user has touched the page. */
function audioContext() {
  sharedContext ??= new AudioContext();
  if (sharedContext.state === 'suspended') sharedContext.resume().catch(() => {});
  return sharedContext;
}

/** Loudness of a stream, 0 to 1 (root mean square of the last 43 ms or so). */
class LevelMeter {
  #analyser = audioContext().createAnalyser();
  #samples = new Float32Array(this.#analyser.fftSize);
  #source;

  /** @param {MediaStream} stream with an audio track */
  constructor(stream) {
    this.#source = audioContext().createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length);
  }

  close() {
    this.#source.disconnect();
  }
}

/** Plays one remote user. */
class Speaker {
  #element = new Audio();
  /** @type {{ source: MediaStreamAudioSourceNode, gain: GainNode } | null} */ #amplifier = null;

  /** @param {VoiceConnection} voice where it comes from @param {MediaStream} stream
   * @param {(blocked: boolean) => void} blocked called when the browser wants a click first */
  constructor(voice, stream, blocked) {
    this.voice = voice;
    this.stream = stream;
    this.blocked = blocked;
    this.#element.autoplay = true;
    this.#element.srcObject = stream;
  }

  play() {
    return this.#element.play().then(
      () => this.blocked(false),
      error => error.name === 'NotAllowedError' && this.blocked(true));
  }

  /** @param {number} volume 0 to 2 @param {boolean} silent */
  set(volume, silent) {
    const amplified = volume > 1;
    if (amplified && !this.#amplifier) {
      const context = audioContext();
      this.#amplifier = { source: context.createMediaStreamSource(this.stream), gain: context.createGain() };
      this.#amplifier.source.connect(this.#amplifier.gain).connect(context.destination);
    }
    // An element cannot play louder than 1; a muted one still has to pull the stream for the context to get it.
    if (this.#amplifier) this.#amplifier.gain.gain.value = amplified && !silent ? volume : 0;
    this.#element.volume = Math.min(volume, 1);
    this.#element.muted = amplified || silent;
  }

  close() {
    this.#element.srcObject = null;
    this.#amplifier?.source.disconnect();
    this.#amplifier?.gain.disconnect();
  }
}

// ------------------------------------------------------------------------------------------------------------ client

const METER_INTERVAL = 60;
const STATS_INTERVAL = 2000;
/** Loudness that counts as speech (-50 dBFS), and how long it lasts after the last sound. */
const SPEECH_LEVEL = 0.003;
const SPEECH_HANG = 300;
/** How long the gateway may take to show us in the channel: it is silent when it is full or forbidden. */
const JOIN_TIMEOUT = 10_000;
/** The same for another channel of the guild, whose call goes on meanwhile; and how long a server update may follow a 4014
 * before it means that we were sent away. */
const MOVE_TIMEOUT = 5000;
/** How long a call that moves to another voice server goes on at the former one too. */
const OVERLAP = 4000;

/**
 * The client. Events, each a CustomEvent with a `detail`:
 *
 * | event | detail | when |
 * | --- | --- | --- |
 * | `state` | `{state, reason?}` | the call's state changed ({@link CallState}); the reason is for a person, if it was not our wish |
 * | `gateway` | `{connected}` | the main gateway was reached or lost |
 * | `guilds` | | guilds, channels or members changed |
 * | `voicestate` | {@link VoiceState} | somebody joined, moved, left, muted or deafened |
 * | `participant` | `{userId, joined}` | somebody's audio came or went in our call |
 * | `speaking` | `{userId, speaking}` | somebody, we too, began or stopped speaking |
 * | `stats` | {@link CallStats} | every two seconds of a call |
 * | `playback` | `{blocked}` | the browser wants a click before it plays: call `resumePlayback()` in one |
 * | `self` | `{mute, deaf}` | we muted or deafened ourselves |
 * | `microphone` | `{deviceId}` | another microphone, or none, is in use |
 * | `error` | `{message, fatal}` | something a person should read; fatal ends the client |
 */
export class VoiceClient extends Emitter {
  /** @type {GatewayConnection} */ #gateway;
  /** @type {VoiceConnection | null} */ #voice = null;
  /** Where the call was before it moved: it goes on there too until everybody had the time to come along.
   * @type {VoiceConnection | null} */ #former = null;
  /** @type {Call | null} */ #call = null;
  /** The channel that we asked to move to, until our voice state shows us there. @type {string | null} */ #moveTo = null;
  /** @type {CallState} */ #state = 'Disconnected';
  /** @type {User | null} */ #user = null;
  /** @type {{ token: string, guild_id: string, endpoint: string | null } | null} */ #server = null;
  /** @type {MediaStream | null} */ #microphone = null;
  /** @type {LevelMeter | null} */ #meter = null;
  /** @type {Map<string, Speaker>} */ #speakers = new Map();
  /** Silent yet: those whom we still hear by the former voice server. @type {Map<string, Speaker>} */ #coming = new Map();
  /** @type {Map<string, number>} */ #volumes = new Map();
  /** @type {Map<string, number>} */ #lastSound = new Map();
  /** @type {Set<string>} */ #flagged = new Set();
  /** @type {Set<string>} */ #speaking = new Set();
  /** @type {Record<string, number | undefined>} */ #timers = {};
  /** Ids of the regions, nearest first, once measured. @type {string[] | undefined} */ #regions;
  #ownsMicrophone = false;
  #microphoneRequest = 0;
  #deviceId = '';
  #mute = false;
  #deaf = false;
  #rejoins = 0;
  #lastEndpoint = '';
  #connected = false;
  #blocked = false;
  #counted = { lost: 0, total: 0 };
  /** @type {Map<string, Guild>} by id */ guilds = new Map();
  /** @type {{ voice?: string, rtc_worker?: string }} versions of the voice server, once it told */ serverVersion = {};
  /** @type {{ node?: string, region?: string }} which voice server it is, once it told */ serverPlace = {};

  /** @param {{ gateway: string, token: string }} options the gateway's ws or wss address, and who we are */
  constructor({ gateway, token }) {
    super();
    this.secure = new URL(gateway).protocol === 'wss:';
    this.#gateway = new GatewayConnection(gateway, token);
    this.#gateway
      .on('dispatch', ({ t, d }) => this.#dispatch(t, d))
      .on('up', () => this.#setConnected(true))
      .on('down', () => {
        clearTimeout(this.#timers.moved);
        this.#setConnected(false);
      })
      .on('failed', ({ code, reason }) => {
        this.#end('Disconnected');
        this.emit('error', { message: `The gateway refused us: ${reason || code}`, fatal: true, code });
      });
  }

  /** @returns {CallState} */
  get state() { return this.#state; }
  /** Whether the main gateway is reached. */
  get connected() { return this.#connected; }
  get user() { return this.#user; }
  /** The call we are in or on the way into; null after `leave()`. */
  get call() { return this.#call; }
  /** host:port of the voice server. */
  get endpoint() { return this.#voice?.options.endpoint ?? null; }
  get mute() { return this.#mute; }
  get deaf() { return this.#deaf; }
  /** Whether the browser waits for a click before it plays. */
  get playbackBlocked() { return this.#blocked; }
  /** The microphone in use, or null: then we only listen. */
  get microphone() { return this.#microphone; }
  /** @returns {Map<string, MediaStream>} what each remote user sends, by user id */
  get streams() { return new Map([...this.#speakers].map(([userId, speaker]) => [userId, speaker.stream])); }
  /** @param {string} userId */
  isSpeaking(userId) { return this.#speaking.has(userId); }
  /** @param {string} userId @returns {number} 0 to 2 */
  volumeOf(userId) { return this.#volumes.get(userId) ?? 1; }

  /** Connects to the main gateway and keeps connected. Resolves with the first READY; rejects if refused for good. */
  connect() {
    return new Promise((resolve, reject) => {
      this.addEventListener('gateway', () => resolve(undefined), { once: true });
      this.on('error', ({ message, fatal }) => fatal && reject(new Error(message)));
      this.#gateway.open();
    });
  }

  /** Leaves the call and the gateway. */
  disconnect() {
    this.leave();
    this.#gateway.close();
    this.#setConnected(false);
  }

  /**
   * Joins a voice channel, or moves to it. Comes back by itself after whatever breaks, until `leave()`.
   * @param {string} guildId
   * @param {string} channelId
   * @param {{ stream?: MediaStream, microphone?: string }} [options] what to send: a stream of the caller's, else the
   *   microphone with this device id, else the one in use or the default one
   */
  async join(guildId, channelId, { stream, microphone } = {}) {
    const there = this.#voice && !this.#moveTo && this.#call?.guildId === guildId && this.#call.channelId === channelId;
    if (!there) {
      if (this.#call && this.#call.guildId !== guildId) {
        this.#sendLeave();
        this.#closeVoice();
      }
      // Who is in a channel of the guild stays there until the gateway agrees to the other.
      const moves = this.#call?.guildId === guildId && this.#call.channelId !== channelId && this.#ownState(guildId) !== undefined;
      this.#moveTo = moves ? channelId : null;
      if (!moves) this.#call = { guildId, channelId };
      this.#rejoins = 0;
      if (!this.#voice) this.#enter('Awaiting Endpoint');
      this.#askToJoin();
    }
    // The way to the server and the browser's question about the microphone take their time side by side.
    if (stream) this.#useStream(stream);
    else if (microphone !== undefined || !this.#microphone) await this.setMicrophone(microphone ?? this.#deviceId);
  }

  /** Leaves the call, and stops coming back to it. */
  leave() {
    if (!this.#call) return;
    this.#sendLeave();
    this.#end('Disconnected');
  }

  /** @param {boolean} mute */
  setMute(mute) {
    this.#mute = mute;
    this.#selfChanged();
  }

  /** Who hears nothing says nothing: deafened includes muted. @param {boolean} deaf */
  setDeaf(deaf) {
    this.#deaf = deaf;
    this.#selfChanged();
  }

  /** @param {string} userId @param {number} volume 0 silent, 1 as sent, 2 twice as loud */
  setVolume(userId, volume) {
    this.#volumes.set(userId, Math.min(2, Math.max(0, volume)));
    this.#adjust(userId);
  }

  /** Speaks into another microphone, in a running call too. @param {string} deviceId empty for the default one */
  async setMicrophone(deviceId) {
    const request = ++this.#microphoneRequest;
    this.#deviceId = deviceId;
    try {
      if (!navigator.mediaDevices) throw new Error('browsers lend the microphone to https pages only');
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: {
          ...(deviceId ? { deviceId } : {}), // ideal, not exact: one that is gone gives way to the default
          echoCancellation: true, noiseSuppression: true, autoGainControl: true,
        },
      });
      if (request !== this.#microphoneRequest) return stream.getTracks().forEach(track => track.stop());
      this.#useStream(stream, true);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.emit('error', { message: `No microphone, others cannot hear you: ${reason}`, fatal: false });
    }
  }

  /** Plays what the browser held back; call it in a click or a key press. */
  async resumePlayback() {
    if (sharedContext?.state === 'suspended') await sharedContext.resume();
    await Promise.all([...this.#speakers.values(), ...this.#coming.values()].map(speaker => speaker.play()));
  }

  /** @returns {Promise<CallStats | null>} null while not in a call */
  async stats() {
    return this.#voice ? this.#voice.media.stats() : null;
  }

  // ------------------------------------------------------------------------------------------------- main gateway

  /** @param {boolean} connected */
  #setConnected(connected) {
    if (this.#connected === connected) return;
    this.#connected = connected;
    this.emit('gateway', { connected });
  }

  /** @param {string} type @param {any} data */
  #dispatch(type, data) {
    const guild = this.guilds.get(data?.guild_id);
    switch (type) {
      case 'READY':
        this.#user = data.user;
        for (const id of this.guilds.keys()) {
          if (!data.guilds.some((/** @type {{ id: string }} */ listed) => listed.id === id)) this.guilds.delete(id);
        }
        this.emit('guilds');
        if (!this.#regions) this.#measureRegions().catch(() => {}); // without it the gateway chooses
        break;
      case 'RESUMED':
        // What we asked for just before the socket broke may never have arrived.
        if (this.#call && (!this.#voice || this.#moveTo)) this.#askToJoin();
        break;
      case 'GUILD_CREATE':
        this.guilds.set(data.id, readGuild(data));
        this.emit('guilds');
        // A new gateway session has no voice state: whoever was in a call asks for it again.
        if (this.#call?.guildId === data.id) this.#askToJoin();
        break;
      case 'GUILD_UPDATE':
        Object.assign(this.guilds.get(data.id) ?? {}, { name: data.name, region: data.region ?? null });
        this.emit('guilds');
        break;
      case 'GUILD_DELETE':
        this.guilds.delete(data.id);
        if (this.#call?.guildId === data.id) this.#end('Disconnected');
        this.emit('guilds');
        break;
      case 'CHANNEL_CREATE':
      case 'CHANNEL_UPDATE':
        guild?.channels.set(data.id, data);
        this.emit('guilds');
        break;
      case 'CHANNEL_DELETE':
        guild?.channels.delete(data.id);
        this.emit('guilds');
        break;
      case 'GUILD_MEMBER_ADD':
      case 'GUILD_MEMBER_UPDATE':
        guild?.members.set(data.user.id, data);
        this.emit('guilds');
        break;
      case 'GUILD_MEMBER_REMOVE':
        guild?.members.delete(data.user.id);
        this.emit('guilds');
        break;
      case 'VOICE_STATE_UPDATE':
        this.#voiceState(data);
        break;
      case 'VOICE_SERVER_UPDATE':
        this.#server = data;
        this.#openVoice();
        break;
    }
  }

  /** @param {VoiceState} state */
  #voiceState(state) {
    const guild = this.guilds.get(state.guild_id ?? '');
    if (!guild) return;
    const before = guild.voiceStates.get(state.user_id);
    if (state.member) guild.members.set(state.user_id, state.member);
    if (state.channel_id === null) guild.voiceStates.delete(state.user_id);
    else guild.voiceStates.set(state.user_id, state);
    if (state.user_id === this.#user?.id && this.#call?.guildId === guild.id) this.#ownStateChanged(state, before);
    this.emit('voicestate', state);
  }

  /** @param {VoiceState} state @param {VoiceState | undefined} before */
  #ownStateChanged(state, before) {
    if (!this.#call) return;
    if (state.channel_id === null) {
      if (before) this.#end('Disconnected', 'you were moved out of the channel, or joined elsewhere'); // else it echoes our own leave
      return;
    }
    if (state.channel_id === this.#moveTo) this.#moveTo = null;
    if (!this.#moveTo) clearTimeout(this.#timers.join);
    this.#call = { guildId: this.#call.guildId, channelId: state.channel_id }; // a moderator may have moved us
    if (this.#server && !this.#voice) this.#openVoice();
  }

  /** Where the gateway shows us. @param {string} guildId */
  #ownState(guildId) {
    return this.guilds.get(guildId)?.voiceStates.get(this.#user?.id ?? '');
  }

  /** Tells the gateway where we want to be, and that it may be silent about a refusal. */
  #askToJoin() {
    if (!this.#call) return;
    const { guildId, channelId } = this.#call;
    clearTimeout(this.#timers.moved);
    if (!this.guilds.has(guildId)) return; // its GUILD_CREATE asks again
    this.#server = null;
    clearTimeout(this.#timers.rejoin);
    // Where only the gateway session is new, the voice session that we bring along is kept as it is.
    if (!this.#sendVoiceState(guildId, this.#moveTo ?? channelId, this.#voice?.options.sessionId)) return; // the next GUILD_CREATE or RESUMED asks again
    clearTimeout(this.#timers.join);
    this.#timers.join = setTimeout(() => this.#refused(), this.#moveTo ? MOVE_TIMEOUT : JOIN_TIMEOUT);
  }

  /** The gateway did not show us where we asked to be. */
  #refused() {
    if (!this.#connected || (this.#voice && !this.#moveTo)) return; // asked again once connected; there already
    if (this.#moveTo) {
      this.#moveTo = null;
      if (!this.#voice) this.#askToJoin(); // back to where we were
    } else if (this.#ownState(this.#call?.guildId ?? '')?.channel_id === this.#call?.channelId) {
      this.#askToJoin(); // shown there all the time, as after a restart: it is the voice server that is missing
      return;
    } else {
      this.#sendLeave(); // a late yes would leave nobody but our name there
      this.#end('Disconnected');
    }
    this.emit('error', { message: 'You could not join: the channel may be full, or closed to you.', fatal: false });
  }

  #sendLeave() {
    if (!this.#call) return;
    this.#sendVoiceState(this.#call.guildId, null);
    this.guilds.get(this.#call.guildId)?.voiceStates.delete(this.#user?.id ?? '');
  }

  /** @param {string} guildId @param {string | null} channelId @param {string} [sessionId] the voice session that we have there */
  #sendVoiceState(guildId, channelId, sessionId) {
    return this.#gateway.send(GatewayOp.VoiceStateUpdate, {
      guild_id: guildId, channel_id: channelId, self_mute: this.#mute || this.#deaf, self_deaf: this.#deaf, self_video: false, session_id: sessionId,
      preferred_regions: this.#regions,
    });
  }

  /** Which regions are near, where there is a choice. */
  async #measureRegions() {
    const url = new URL(this.#gateway.url);
    url.protocol = this.secure ? 'https:' : 'http:';
    const answer = await fetch(new URL('/api/v10/voice/regions', url), { headers: { Authorization: this.#gateway.token } });
    const regions = answer.ok ? await answer.json() : [];
    if (regions.length < 2) return;
    const measured = await Promise.all(regions.map(async (/** @type {{ id: string, endpoint: string }} */ { id, endpoint }) =>
      ({ id, took: await roundTrip(`${this.secure ? 'wss' : 'ws'}://${endpoint}/?v=8`) })));
    this.#regions = measured.filter(({ took }) => took !== null).sort((a, b) => a.took - b.took).map(({ id }) => id);
  }

  // ----------------------------------------------------------------------------------------------------- the call

  /** Connects to the assigned voice server, once both halves are known: our voice state and the server. */
  #openVoice() {
    const server = this.#server;
    if (!server || !this.#call || server.guild_id !== this.#call.guildId) return;
    const guild = this.guilds.get(server.guild_id);
    const state = this.#ownState(server.guild_id);
    if (!guild || !state) return;
    this.#server = null;
    clearTimeout(this.#timers.moved);
    clearTimeout(this.#timers.rejoin);
    // The call moves: we are at both voice servers for a while, say everything to both, and hear each person from where they are.
    if (server.endpoint !== null && this.#voice?.connected && this.#voice.options.sessionId === state.session_id) this.#leaveLater();
    else this.#closeVoice();
    if (server.endpoint === null) return this.#enter('Awaiting Endpoint');

    const voice = new VoiceConnection({
      endpoint: server.endpoint, secure: this.secure, guildId: guild.id, userId: state.user_id, sessionId: state.session_id,
      token: server.token, bitrate: guild.channels.get(state.channel_id ?? '')?.bitrate ?? 64_000,
    });
    this.#voice = voice;
    voice
      .on('state', ({ state: entered }) => this.#voiceEntered(voice, entered))
      .on('speaking', event => this.#remoteSpeaking(voice, event))
      .on('left', ({ userId }) => this.#remoteLeft(voice, userId))
      .on('ready', ({ node, region }) => { this.serverPlace = { node, region }; })
      .on('version', version => { this.serverVersion = version; })
      .on('described', () => this.#speaking.has(state.user_id) && voice.sendSpeaking(1))
      .on('broken', () => this.#gateway.send(GatewayOp.VoiceServerPing, null))
      .on('closed', event => (voice === this.#former ? this.#closeFormer() : this.#voiceClosed(event)));
    voice.media.send(this.#track());
    voice.open();
    if (!this.#former) this.#enter('Connecting');
    clearInterval(this.#timers.meter);
    clearInterval(this.#timers.stats);
    this.#timers.meter = setInterval(() => this.#measure(), METER_INTERVAL);
    this.#timers.stats = setInterval(() => this.#reportStats(), STATS_INTERVAL);
  }

  /** @param {VoiceConnection} voice @param {CallState} state */
  #voiceEntered(voice, state) {
    // While the former voice server serves us, the way to the next is nobody's concern.
    if (voice !== this.#voice || (this.#former && state !== 'Voice Connected')) return;
    this.#enter(state);
    clearTimeout(this.#timers.steady);
    if (state === 'Voice Connected') {
      this.#timers.steady = setTimeout(() => { this.#rejoins = 0; }, STEADY);
      this.#reportStats();
    }
  }

  /** @param {{ reaction: 'rejoin' | 'wait' | 'stop' | 'resume', code: number, reason: string }} event */
  #voiceClosed({ reaction, code, reason }) {
    const sessionId = this.#voice?.options.sessionId;
    this.#closeVoice();
    if (!this.#call) return;
    const state = this.#ownState(this.#call.guildId);
    // Our voice state has another session by now: either a server update for it is on its way to us, or somebody joined
    // as us elsewhere. Asking again would begin a tug of war.
    const replaced = this.#connected && state !== undefined && state.session_id !== sessionId;
    if (reaction === 'stop') {
      this.#sendLeave();
      this.#end('Disconnected');
      this.emit('error', { message: `The voice server ended the call: ${reason || code}`, fatal: false });
    } else if (reaction === 'wait' || replaced) {
      this.#enter('Awaiting Endpoint', reason);
      // Without the gateway nobody can tell; once it is back we ask to join again.
      if (this.#connected) this.#timers.moved = setTimeout(() => this.#movedOut(), MOVE_TIMEOUT);
    } else {
      if (code === 1006 && this.secure) {
        this.emit('error', {
          message: `Cannot reach the voice server. If its certificate is a private one, open https://${this.#lastEndpoint}/healthz once.`,
          fatal: false,
        });
      }
      this.#enter('Awaiting Endpoint', reason);
      this.#timers.rejoin = setTimeout(() => this.#askToJoin(), backOff(this.#rejoins++));
    }
  }

  /** No server took over from the one that sent us away. */
  #movedOut() {
    if (this.#call) this.#sendVoiceState(this.#call.guildId, null); // ignored if it is another session that is there
    this.#end('Disconnected', 'you were moved out of the channel, or joined elsewhere');
  }

  /** From now on the voice server that we have is the former one. */
  #leaveLater() {
    this.#closeFormer();
    this.#former = this.#voice;
    this.#voice = null;
    this.#counted = { lost: 0, total: 0 };
    this.#timers.overlap = setTimeout(() => this.#closeFormer(), OVERLAP);
  }

  /** The overlap is over, or the former voice server is. */
  #closeFormer() {
    const former = this.#former;
    if (!former) return;
    clearTimeout(this.#timers.overlap);
    this.#former = null;
    for (const userId of [...this.#coming.keys()]) this.#switchOver(userId);
    for (const [userId, { voice }] of [...this.#speakers]) {
      if (voice === former) this.#removeSpeaker(userId);
    }
    former.close();
    if (this.#voice && !this.#voice.connected) this.#enter('Connecting');
  }

  /** Ends the connections to voice servers, not the wish to be in the call. */
  #closeVoice() {
    this.#closeFormer();
    clearInterval(this.#timers.meter);
    clearInterval(this.#timers.stats);
    clearTimeout(this.#timers.steady);
    if (!this.#voice) return;
    this.#lastEndpoint = this.#voice.options.endpoint;
    for (const userId of [...this.#speakers.keys()]) this.#removeSpeaker(userId); // while their connection is open
    this.#voice.close();
    this.#voice = null;
    this.serverPlace = {};
    this.#counted = { lost: 0, total: 0 };
    for (const userId of [...this.#speaking]) this.#setSpeaking(userId, false);
  }

  /** @param {CallState} state @param {string} [reason] */
  #end(state, reason) {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#closeVoice();
    this.#call = null;
    this.#moveTo = null;
    this.#server = null;
    this.#microphoneRequest++;
    if (this.#ownsMicrophone) this.#useStream(null);
    this.#enter(state, reason);
  }

  /** @param {CallState} state @param {string} [reason] */
  #enter(state, reason) {
    if (this.#state === state) return;
    this.#state = state;
    this.emit('state', { state, reason });
  }

  /** An SSRC has a name: from now on its packets are somebody's voice.
   * @param {VoiceConnection} voice @param {{ userId: string, ssrc: number, speaking: number }} event */
  #remoteSpeaking(voice, { userId, ssrc, speaking }) {
    if (userId === this.#user?.id) return;
    const stream = voice.media.addRemote(userId, ssrc);
    if (speaking) this.#flagged.add(userId);
    else this.#flagged.delete(userId);
    const known = this.#speakers.get(userId);
    if (known?.stream === stream || this.#coming.get(userId)?.stream === stream) return;
    if (voice === this.#former && known) return; // who is with us at the next one already
    const speaker = new Speaker(voice, stream, blocked => this.#setBlocked(blocked));
    if (known && known.voice === this.#former) {
      // Plays, unheard, until there is something to hear: an element takes its time to begin.
      speaker.set(0, true);
      this.#coming.get(userId)?.close();
      this.#coming.set(userId, speaker);
      speaker.play();
      return;
    }
    known?.close();
    this.#speakers.set(userId, speaker);
    this.#adjust(userId);
    speaker.play();
    this.emit('participant', { userId, joined: true });
  }

  /** Somebody is heard by the next voice server from now on. @param {string} userId */
  #switchOver(userId) {
    const speaker = this.#coming.get(userId);
    if (!speaker) return;
    this.#coming.delete(userId);
    this.#speakers.get(userId)?.close();
    this.#speakers.set(userId, speaker);
    this.#adjust(userId);
  }

  /** @param {VoiceConnection} voice @param {string} userId */
  #remoteLeft(voice, userId) {
    voice.media.removeRemote(userId);
    if (voice === this.#former) this.#switchOver(userId); // came along, or really left
    else this.#coming.delete(userId);
    if (this.#speakers.get(userId)?.voice === voice) this.#removeSpeaker(userId);
  }

  /** @param {string} userId */
  #removeSpeaker(userId) {
    const speaker = this.#speakers.get(userId);
    if (!speaker) return;
    speaker.voice.media.removeRemote(userId);
    speaker.close();
    this.#speakers.delete(userId);
    this.#flagged.delete(userId);
    this.#lastSound.delete(userId);
    this.#setSpeaking(userId, false);
    this.emit('participant', { userId, joined: false });
  }

  /** @param {string} userId */
  #adjust(userId) {
    this.#speakers.get(userId)?.set(this.volumeOf(userId), this.#deaf);
  }

  /** @param {boolean} blocked */
  #setBlocked(blocked) {
    if (this.#blocked === blocked) return;
    this.#blocked = blocked;
    this.emit('playback', { blocked });
  }

  // --------------------------------------------------------------------------------------------- what we send, hear

  #selfChanged() {
    const track = this.#track();
    if (track) track.enabled = !this.#mute && !this.#deaf;
    for (const userId of this.#speakers.keys()) this.#adjust(userId);
    if (this.#call) {
      this.#sendVoiceState(this.#call.guildId, this.#call.channelId);
      if (this.#moveTo) this.#sendVoiceState(this.#call.guildId, this.#moveTo); // the line before may have undone the move
    }
    this.emit('self', { mute: this.#mute, deaf: this.#deaf });
  }

  #track() {
    return this.#microphone?.getAudioTracks()[0] ?? null;
  }

  /** @param {MediaStream | null} stream @param {boolean} own whether it is a microphone that we opened, and close */
  #useStream(stream, own = false) {
    this.#microphoneRequest++;
    this.#meter?.close();
    if (this.#ownsMicrophone) this.#microphone?.getTracks().forEach(track => track.stop());
    this.#microphone = stream;
    this.#ownsMicrophone = own;
    this.#meter = stream && new LevelMeter(stream);
    const track = this.#track();
    if (track) {
      track.enabled = !this.#mute && !this.#deaf;
      // Unplugged: the default one takes over.
      if (own) track.addEventListener('ended', () => track === this.#track() && this.setMicrophone(''));
    }
    this.#former?.media.send(track);
    this.#voice?.media.send(track);
    this.emit('microphone', { deviceId: track?.getSettings().deviceId ?? null });
  }

  /** Who speaks now. The packets' own levels tell best; deafened we get none, and the others' word (op 5) has to do. */
  #measure() {
    const own = this.#user?.id;
    if (own) this.#heard(own, !this.#mute && !this.#deaf && (this.#meter?.level() ?? 0) > SPEECH_LEVEL);
    if (this.#deaf) {
      for (const userId of this.#speakers.keys()) this.#setSpeaking(userId, this.#flagged.has(userId));
      return;
    }
    for (const { userId, level } of this.#former?.media.levels() ?? []) {
      if (level > SPEECH_LEVEL) this.#heard(userId, true);
    }
    for (const { userId, fresh, level } of this.#voice?.media.levels() ?? []) {
      if (fresh) this.#switchOver(userId); // whoever has packets at the next voice server is heard from there
      this.#heard(userId, level > SPEECH_LEVEL);
    }
  }

  /** @param {string} userId @param {boolean} sound */
  #heard(userId, sound) {
    const now = performance.now();
    if (sound) this.#lastSound.set(userId, now);
    this.#setSpeaking(userId, now - (this.#lastSound.get(userId) ?? -Infinity) < SPEECH_HANG);
  }

  /** @param {string} userId @param {boolean} speaking */
  #setSpeaking(userId, speaking) {
    if (this.#speaking.has(userId) === speaking) return;
    if (speaking) this.#speaking.add(userId);
    else this.#speaking.delete(userId);
    if (userId === this.#user?.id) for (const voice of [this.#former, this.#voice]) voice?.sendSpeaking(speaking ? 1 : 0);
    this.emit('speaking', { userId, speaking });
  }

  async #reportStats() {
    const stats = await this.stats().catch(() => null);
    if (!stats || !this.#voice) return;
    const lost = stats.streams.reduce((sum, stream) => sum + Math.max(0, stream.lost), 0);
    const total = lost + stats.streams.reduce((sum, stream) => sum + stream.packets, 0);
    stats.recentLoss = Math.max(0, lost - this.#counted.lost) / Math.max(1, total - this.#counted.total);
    this.#counted = { lost, total };
    this.emit('stats', stats);
  }
}

/** @param {any} data of GUILD_CREATE @returns {Guild} */
function readGuild(data) {
  return {
    id: data.id,
    name: data.name,
    region: data.region ?? null,
    channels: new Map(data.channels.map((/** @type {Channel} */ channel) => [channel.id, channel])),
    members: new Map(data.members.map((/** @type {Member} */ member) => [member.user.id, member])),
    voiceStates: new Map(data.voice_states.map((/** @type {VoiceState} */ state) => [state.user_id, { ...state, guild_id: data.id }])),
  };
}
