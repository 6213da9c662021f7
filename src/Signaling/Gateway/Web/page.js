// @ts-check
// SPDX-License-Identifier: Apache-2.0

// The page: draws what the voice client knows, passes on what people press.
// Without clicks: ?name=Ann&guild=ID&channel=ID-or-name&tone=440 (and #token=... instead of a guest login).

import { VoiceClient } from './voice-client.js';

/** @typedef {import('./voice-client.js').Guild} Guild */
/** @typedef {import('./voice-client.js').VoiceState} VoiceState */

const query = new URLSearchParams(location.search);
const tone = Number(query.get('tone')) || 0;

/** @type {VoiceClient} */ let voice;
/** The guild whose channels are shown. @type {string | null} */ let shown = query.get('guild');
/** Where to go as soon as it is known. @type {{ guild: string | null, channel: string } | null} */ let destination = null;

// ------------------------------------------------------------------------------------------------------ the document

/** @template {HTMLElement} T @param {string} id @returns {T} */
const $ = id => /** @type {T} */ (document.getElementById(id));

/** @param {string} tag @param {string} [className] @param {string} [text] */
function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** @param {string} name @param {string} label read out; empty for decoration */
function icon(name, label) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  if (label) {
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
  } else {
    svg.setAttribute('aria-hidden', 'true');
  }
  return svg;
}

/** Makes the children of a list match the items, keeping the elements (and so the focus) of those that stay.
 * @template T @param {HTMLElement} list @param {T[]} items @param {(item: T) => string} key
 * @param {(item: T) => HTMLElement} create @param {(node: HTMLElement, item: T) => void} update */
function reconcile(list, items, key, create, update) {
  const old = new Map([...list.children].map(child => [/** @type {HTMLElement} */ (child).dataset.key, /** @type {HTMLElement} */ (child)]));
  items.forEach((item, index) => {
    const node = old.get(key(item)) ?? create(item);
    node.dataset.key = key(item);
    old.delete(key(item));
    update(node, item);
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  for (const gone of old.values()) gone.remove();
}

/** @param {string} message */
function announce(message) {
  $('announcer').textContent = message;
}

/** @param {string} message */
function toast(message) {
  if ([...$('toasts').children].some(shown => shown.firstChild?.textContent === message)) return;
  const node = element('div', 'toast');
  const close = element('button', 'quiet', 'Close');
  close.onclick = () => node.remove();
  node.append(element('p', '', message), close);
  $('toasts').append(node);
  setTimeout(() => node.remove(), 15_000);
}

/** @param {HTMLElement} node @param {string} userId @param {string} name */
function paintAvatar(node, userId, name) {
  node.textContent = name.split(/\s+/).slice(0, 2).map(word => [...word][0] ?? '').join('').toUpperCase();
  node.style.setProperty('--hue', String(Number(BigInt(userId) % 360n) * 137 % 360));
}

/** @param {Guild} guild @param {string} userId */
function nameOf(guild, userId) {
  const member = guild.members.get(userId);
  const user = member?.user ?? (voice.user?.id === userId ? voice.user : null);
  return member?.nick || user?.global_name || user?.username || 'Somebody';
}

/** @param {HTMLElement} box @param {VoiceState} state */
function paintFlags(box, state) {
  const flags = [];
  if (state.mute || state.suppress) flags.push({ name: 'muted', label: 'muted by a moderator', moderator: true });
  else if (state.self_mute) flags.push({ name: 'muted', label: 'muted', moderator: false });
  if (state.deaf) flags.push({ name: 'deafened', label: 'deafened by a moderator', moderator: true });
  else if (state.self_deaf) flags.push({ name: 'deafened', label: 'deafened', moderator: false });
  const marks = flags.map(flag => flag.label).join();
  if (box.dataset.marks === marks) return;
  box.dataset.marks = marks;
  box.replaceChildren(...flags.map(({ name, label, moderator }) => {
    const svg = icon(name, label);
    svg.classList.toggle('by-moderator', moderator);
    return svg;
  }));
}

// ------------------------------------------------------------------------------------------------------------- draw

let drawing = false;

/** Draws once for all the events of this moment. */
function draw() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    const guild = voice.guilds.get(shown ?? '') ?? [...voice.guilds.values()][0];
    if (guild) shown = guild.id;
    drawGuilds();
    if (guild) drawChannels(guild);
    else $('guild-name').textContent = voice.connected ? 'No servers yet' : 'Connecting…';
    drawConnection();
    drawStage();
    drawSelf();
  });
}

function drawGuilds() {
  $('guilds').hidden = voice.guilds.size < 2;
  reconcile($('guilds'), [...voice.guilds.values()], guild => guild.id, guild => {
    const button = element('button');
    button.onclick = () => {
      shown = guild.id;
      draw();
    };
    return button;
  }, (button, guild) => {
    button.textContent = guild.name.split(/\s+/).slice(0, 2).map(word => [...word][0] ?? '').join('').toUpperCase();
    button.setAttribute('aria-label', guild.name);
    button.title = guild.name;
    button.setAttribute('aria-current', String(guild.id === shown));
  });
}

/** @param {Guild} guild @param {string} channelId */
function occupants(guild, channelId) {
  return [...guild.voiceStates.values()].filter(state => state.channel_id === channelId)
    .sort((a, b) => nameOf(guild, a.user_id).localeCompare(nameOf(guild, b.user_id)) || a.user_id.localeCompare(b.user_id));
}

/** @param {Guild} guild */
function drawChannels(guild) {
  $('guild-name').textContent = guild.name;
  const channels = [...guild.channels.values()].filter(channel => channel.type === 2 || channel.type === 13)
    .sort((a, b) => a.position - b.position || (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  reconcile($('channel-list'), channels, channel => channel.id, channel => {
    const row = element('li');
    const button = element('button', 'channel');
    button.append(icon('channel', ''), element('span', 'name'), element('span', 'count'));
    button.onclick = () => join(guild.id, channel.id);
    row.append(button, element('ul', 'occupants'));
    return row;
  }, (row, channel) => {
    const [button, list] = /** @type {HTMLElement[]} */ ([...row.children]);
    const states = occupants(guild, channel.id);
    const current = voice.call?.channelId === channel.id;
    const limit = channel.user_limit ? `${states.length}/${channel.user_limit}` : states.length || '';
    button.children[1].textContent = channel.name;
    button.children[2].textContent = String(limit);
    button.setAttribute('aria-current', String(current));
    button.setAttribute('aria-label', `${current ? '' : 'Join '}${channel.name}, ${states.length === 1 ? '1 person' : `${states.length} people`}`);
    list.hidden = states.length === 0;
    list.setAttribute('aria-label', `In ${channel.name}`);
    reconcile(list, states, state => state.user_id, state => {
      const item = element('li');
      item.dataset.user = state.user_id;
      item.append(element('span', 'avatar'), element('span', 'who'), element('span', 'flags'));
      item.children[0].setAttribute('aria-hidden', 'true');
      return item;
    }, (item, state) => {
      const [avatar, who, flags] = /** @type {HTMLElement[]} */ ([...item.children]);
      paintAvatar(avatar, state.user_id, nameOf(guild, state.user_id));
      who.textContent = nameOf(guild, state.user_id);
      paintFlags(flags, state);
      item.classList.toggle('speaking', current && voice.isSpeaking(state.user_id));
    });
  });
}

function drawConnection() {
  const { call, state } = voice;
  $('connection').hidden = !call;
  if (!call) return;
  const guild = voice.guilds.get(call.guildId);
  const channel = guild?.channels.get(call.channelId);
  const good = state === 'Voice Connected';
  $('connection').dataset.health = good ? 'good' : state === 'Disconnected' || state === 'No Route' ? 'bad' : 'busy';
  $('state').textContent = state;
  $('place').textContent = `${channel?.name ?? ''} / ${guild?.name ?? ''}`;
  $('region').textContent = voice.serverPlace.region ?? channel?.rtc_region ?? guild?.region ?? 'Automatic';
  $('node').textContent = voice.serverPlace.node ?? voice.endpoint ?? '–';
  $('node').title = voice.endpoint ?? '';
  if (!good) drawStats(null);
}

/** @param {import('./voice-client.js').CallStats | null} stats */
function drawStats(stats) {
  const rtt = stats?.rtt ?? null;
  $('rtt').textContent = rtt === null ? '–' : rtt < 10 ? `${rtt.toFixed(1)} ms` : `${Math.round(rtt)} ms`;
  $('loss').textContent = stats ? `${(Math.max(stats.recentLoss, stats.sentLoss) * 100).toFixed(1)} %` : '–';
  $('cipher').textContent = stats?.cipher?.replace('SRTP_', '') ?? '–';
  $('bars').dataset.strength = rtt === null ? '0' : rtt < 100 ? '3' : rtt < 250 ? '2' : '1';
}

function drawStage() {
  const guild = voice.guilds.get(voice.call?.guildId ?? '');
  const channel = guild?.channels.get(voice.call?.channelId ?? '');
  const states = guild && channel ? occupants(guild, channel.id) : [];
  $('stage-title').textContent = channel?.name ?? '';
  $('stage-note').textContent = channel ? (states.length === 1 ? 'Only you, so far' : `${states.length} people`) : '';
  $('controls').hidden = !channel;
  document.title = channel ? `${channel.name} · Voice` : 'Voice';

  /** @type {{ key: string, state: VoiceState | null }[]} */
  const items = channel ? states.map(state => ({ key: state.user_id, state })) : [{ key: 'empty', state: null }];
  reconcile($('tiles'), items, item => item.key, ({ state }) => {
    if (!state) {
      const note = element('li', 'empty');
      note.append(element('strong', '', 'Nobody hears you yet'), element('span', '', 'Choose a voice channel to join the people in it.'));
      return note;
    }
    return tile(state.user_id);
  }, (node, { state }) => {
    if (!state || !guild) return;
    const name = nameOf(guild, state.user_id);
    const self = state.user_id === voice.user?.id;
    const [avatar, label] = /** @type {HTMLElement[]} */ ([...node.children]);
    paintAvatar(avatar, state.user_id, name);
    label.children[0].textContent = self ? `${name} (you)` : name;
    paintFlags(/** @type {HTMLElement} */ (label.children[1]), state);
    node.querySelector('input')?.setAttribute('aria-label', `Volume of ${name}`);
    node.classList.toggle('speaking', voice.isSpeaking(state.user_id));
    node.classList.toggle('away', !self && !voice.streams.has(state.user_id));
  });
}

/** @param {string} userId */
function tile(userId) {
  const node = element('li', 'tile');
  node.dataset.user = userId;
  const avatar = element('span', 'avatar');
  avatar.setAttribute('aria-hidden', 'true');
  const label = element('div', 'label');
  label.append(element('span', 'who'), element('span', 'flags'));
  node.append(avatar, label);
  if (userId !== voice.user?.id) node.append(volumeControl(userId));
  return node;
}

/** @param {string} userId */
function volumeControl(userId) {
  const box = element('div', 'volume');
  const slider = document.createElement('input');
  Object.assign(slider, { type: 'range', min: '0', max: '200', step: '5', value: String(Math.round(voice.volumeOf(userId) * 100)) });
  const output = document.createElement('output');
  const show = () => {
    output.textContent = `${slider.value} %`;
    slider.setAttribute('aria-valuetext', `${slider.value} percent`);
  };
  slider.oninput = () => {
    voice.setVolume(userId, Number(slider.value) / 100);
    remember(localStorage, 'voice.volumes', { ...recall(localStorage, 'voice.volumes'), [userId]: Number(slider.value) / 100 });
    show();
  };
  show();
  box.append(icon('volume', ''), slider, output);
  return box;
}

function drawSelf() {
  if (!voice.user) return;
  const name = voice.user.global_name || voice.user.username;
  paintAvatar($('my-avatar'), voice.user.id, name);
  $('my-name').textContent = name;
  $('my-status').textContent = voice.connected ? (voice.call ? 'In a call' : 'Online') : 'Reconnecting…';
  $('mute').setAttribute('aria-pressed', String(voice.mute));
  $('deafen').setAttribute('aria-pressed', String(voice.deaf));
  $('mute').querySelector('use')?.setAttribute('href', voice.mute ? '#i-muted' : '#i-microphone');
  $('deafen').querySelector('use')?.setAttribute('href', voice.deaf ? '#i-deafened' : '#i-headphones');
}

async function drawMicrophones() {
  const select = /** @type {HTMLSelectElement} */ ($('microphone'));
  const current = voice.microphone?.getAudioTracks()[0]?.getSettings().deviceId ?? '';
  const devices = tone ? [] : (await navigator.mediaDevices?.enumerateDevices() ?? []).filter(device => device.kind === 'audioinput' && device.deviceId);
  const options = devices.map((device, index) => new Option(device.label || `Microphone ${index + 1}`, device.deviceId, false, device.deviceId === current));
  if (tone) options.push(new Option(`Test tone, ${tone} Hz`, ''));
  else if (options.length === 0) options.push(new Option(voice.microphone ? 'Default' : 'None: you only listen', ''));
  select.replaceChildren(...options);
}

// -------------------------------------------------------------------------------------------------------- what people do

/** @type {MediaStream | undefined} */ let toneStream;

/** A steady tone in the microphone's place, to be found again in what the others hear. @param {number} frequency */
function makeTone(frequency) {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  oscillator.connect(new GainNode(context, { gain: 0.3 })).connect(destination);
  oscillator.start();
  addEventListener('pointerdown', () => context.resume(), { once: true }); // where the browser wants a gesture first
  return destination.stream;
}

/** @param {string} guildId @param {string} channelId */
function join(guildId, channelId) {
  if (voice.call?.channelId === channelId && voice.state === 'Voice Connected') return;
  if (tone) {
    toneStream ??= makeTone(tone);
    return voice.join(guildId, channelId, { stream: toneStream });
  }
  return voice.join(guildId, channelId, { microphone: recall(localStorage, 'voice.microphone') ?? undefined });
}

function leave() {
  sessionStorage.removeItem('voice.call');
  voice.leave();
  $('channel-list').focus();
}

/** Goes where the address or the last visit says, once the gateway has told us of it. */
function followDestination() {
  if (!destination) return;
  const guild = destination.guild ? voice.guilds.get(destination.guild) : [...voice.guilds.values()][0];
  if (!guild) return;
  const wanted = destination.channel.toLowerCase();
  const channel = [...guild.channels.values()].find(candidate => candidate.id === wanted || candidate.name.toLowerCase() === wanted);
  destination = null;
  shown = guild.id;
  if (channel) join(guild.id, channel.id);
  else toast(`There is no channel "${wanted}" in ${guild.name}.`);
}

/** @param {Storage} storage @param {string} key @param {unknown} value */
function remember(storage, key, value) {
  storage.setItem(key, JSON.stringify(value));
}

/** @param {Storage} storage @param {string} key @returns {any} */
function recall(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

// ---------------------------------------------------------------------------------------------------------- login, start

/** @param {string} [error] */
function showLogin(error = '') {
  $('app').hidden = true;
  $('login').hidden = false;
  $('login-error').textContent = error;
  const name = /** @type {HTMLInputElement} */ ($('name'));
  name.value ||= query.get('name') ?? recall(localStorage, 'voice.name') ?? '';
  name.focus();
}

/** @param {string} name @returns {Promise<string>} a token */
async function loginAsGuest(name) {
  const response = await fetch('/api/v10/auth/guest', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: name, guild_id: query.get('guild') ?? undefined }),
  });
  if (response.ok) return (await response.json()).token;
  const told = (await response.json().catch(() => null))?.message;
  throw new Error(response.status === 403 || response.status === 404
    ? 'Guests are not let in here: sign in with a token.' : told ?? `The server answered ${response.status}.`);
}

/** @param {string} name @param {string} [token] */
async function enter(name, token) {
  try {
    token ||= await loginAsGuest(name);
  } catch (error) {
    return showLogin(error instanceof TypeError ? 'The server does not answer.' : String(/** @type {Error} */ (error).message));
  }
  remember(localStorage, 'voice.name', name);
  remember(sessionStorage, 'voice.login', { name, token });
  start(name, token);
}

/** @param {string} name @param {string} token @param {boolean} [kept] whether the token is one of the last visit */
function start(name, token, kept = false) {
  voice = new VoiceClient({ gateway: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`, token });
  Object.assign(window, { voice });
  for (const [userId, volume] of Object.entries(recall(localStorage, 'voice.volumes') ?? {})) voice.setVolume(userId, Number(volume));
  const last = recall(sessionStorage, 'voice.call');
  destination = query.has('channel') ? { guild: query.get('guild'), channel: query.get('channel') ?? '' } : last;

  for (const event of ['guilds', 'gateway', 'state', 'self']) voice.addEventListener(event, draw);
  voice.on('guilds', followDestination);
  voice.on('state', ({ state, reason }) => {
    const guild = voice.guilds.get(voice.call?.guildId ?? '');
    const channel = guild?.channels.get(voice.call?.channelId ?? '');
    announce(state === 'Voice Connected' ? `Voice connected: ${channel?.name}` : reason ? `${state}: ${reason}` : state);
    if (state === 'Disconnected' && reason) toast(`The call is over: ${reason}.`);
    if (state === 'Disconnected' && !voice.call) sessionStorage.removeItem('voice.call');
  });
  voice.on('voicestate', ({ user_id }) => {
    // Where we are, not where we asked to be: a reload comes back here.
    if (voice.call && user_id === voice.user?.id) remember(sessionStorage, 'voice.call', { guild: voice.call.guildId, channel: voice.call.channelId });
    draw();
  });
  voice.on('participant', ({ userId, joined }) => {
    const guild = voice.guilds.get(voice.call?.guildId ?? '');
    if (guild) announce(`${nameOf(guild, userId)} ${joined ? 'joined' : 'left'}`);
    draw();
  });
  voice.on('speaking', ({ userId, speaking }) => {
    const channel = voice.call?.channelId;
    for (const node of document.querySelectorAll(`#tiles [data-user="${userId}"], #channel-list [data-key="${channel}"] [data-user="${userId}"]`)) {
      node.classList.toggle('speaking', speaking);
    }
  });
  voice.on('stats', drawStats);
  voice.on('microphone', drawMicrophones);
  voice.on('playback', ({ blocked }) => { $('listen').hidden = !blocked; });
  voice.on('error', ({ message, fatal, code }) => {
    if (!fatal) return toast(message);
    voice.disconnect();
    sessionStorage.removeItem('voice.login');
    // A token of another installation: guests get a new one.
    if (code === 4004 && kept && name) enter(name);
    else showLogin(message);
  });
  voice.connect().catch(() => {}); // the error event tells
  drawMicrophones();
  $('login').hidden = true;
  $('app').hidden = false;
}

$('login-form').addEventListener('submit', event => {
  event.preventDefault();
  const name = /** @type {HTMLInputElement} */ ($('name')).value.trim();
  const token = /** @type {HTMLInputElement} */ ($('token')).value.trim();
  if (!name && !token) return showLogin('Please tell your name.');
  enter(name, token);
});

$('logout').onclick = () => {
  voice.disconnect();
  sessionStorage.clear();
  showLogin();
};
$('mute').onclick = () => voice.setMute(!voice.mute);
$('deafen').onclick = () => voice.setDeaf(!voice.deaf);
$('leave').onclick = leave;
$('leave-small').onclick = leave;
$('listen').onclick = () => voice.resumePlayback();
$('microphone').onchange = event => {
  const id = /** @type {HTMLSelectElement} */ (event.target).value;
  remember(localStorage, 'voice.microphone', id);
  if (!tone) voice.setMicrophone(id);
};
navigator.mediaDevices?.addEventListener('devicechange', () => voice && drawMicrophones());
addEventListener('pointerdown', () => voice?.call && voice.resumePlayback(), { once: true });
addEventListener('keydown', event => {
  if (!event.ctrlKey || !event.shiftKey || !voice?.call) return;
  if (event.code === 'KeyM') voice.setMute(!voice.mute);
  else if (event.code === 'KeyD') voice.setDeaf(!voice.deaf);
  else return;
  event.preventDefault();
});

const kept = recall(sessionStorage, 'voice.login');
const given = new URLSearchParams(location.hash.slice(1)).get('token');
const wanted = query.get('name');
if (given) {
  history.replaceState(null, '', location.pathname + location.search); // a secret is nothing for bookmarks
  enter(wanted ?? '', given);
} else if (kept && (wanted === null || wanted === kept.name)) {
  start(kept.name, kept.token, true);
} else if (wanted) {
  enter(wanted);
} else {
  showLogin();
}
