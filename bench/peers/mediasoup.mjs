// mediasoup as a peer of `voice bench` (README.md): the npm package, installed in the current folder or in $MEDIASOUP_FOLDER, with one worker.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

const [address, ...prefix] = process.argv.slice(2);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const levels = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

function load() {
  const require = createRequire(join(process.env.MEDIASOUP_FOLDER ?? process.cwd(), "package.json"));
  const main = require.resolve("mediasoup");
  const root = join(dirname(main), "..", "..");
  const { version } = require(join(root, "package.json"));

  // The worker is a program of its own: it is what runs on the server's core and in its network, so it is started through the prefix.
  const folder = mkdtempSync(join(tmpdir(), "voice-mediasoup-"));
  const worker = process.env.MEDIASOUP_WORKER_BIN ?? join(root, "worker", "out", "Release", "mediasoup-worker");
  const wrapper = join(folder, "worker");
  const quoted = [...prefix, worker].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  writeFileSync(wrapper, `#!/bin/sh\nexec ${quoted} "$@"\n`);
  chmodSync(wrapper, 0o755);
  process.env.MEDIASOUP_WORKER_BIN = wrapper; // read when the module is loaded
  process.on("exit", () => rmSync(folder, { recursive: true }));
  return { mediasoup: require("mediasoup"), version };
}

class Peer {
  routers = new Map();
  producers = new Map();

  constructor(worker) {
    this.worker = worker;
  }

  /** A router is a room. */
  async router({ room, payload_type }) {
    if (!this.routers.has(room)) {
      const mediaCodecs = [{ kind: "audio", mimeType: "audio/opus", clockRate: 48000, channels: 2, preferredPayloadType: payload_type }];
      this.routers.set(room, await this.worker.createRouter({ mediaCodecs }));
    }
    return this.routers.get(room);
  }

  async transport(router, request) {
    const transport = await router.createWebRtcTransport({ listenInfos: [{ protocol: "udp", ip: address }], enableUdp: true, enableTcp: false });
    await transport.connect({ dtlsParameters: { role: "client", fingerprints: [{ algorithm: "sha-256", value: request.fingerprint }] } });
    return transport;
  }

  async publish(request) {
    const transport = await this.transport(await this.router(request), request);
    const producer = await transport.produce({
      kind: "audio",
      rtpParameters: {
        mid: "0",
        codecs: [{ mimeType: "audio/opus", payloadType: request.payload_type, clockRate: 48000, channels: 2 }],
        headerExtensions: [{ uri: levels, id: request.audio_level }],
        encodings: [{ ssrc: request.ssrc }],
        rtcp: { cname: "bench" },
      },
    });
    this.producers.set(request.participant, producer.id);
    return describe(transport);
  }

  async subscribe(request) {
    const router = await this.router(request);
    const transport = await this.transport(router, request);
    for (const talker of request.talkers) {
      await transport.consume({ producerId: this.producers.get(talker), rtpCapabilities: router.rtpCapabilities });
    }
    return describe(transport);
  }
}

function describe(transport) {
  const candidate = transport.iceCandidates[0];
  return {
    address: candidate.address ?? candidate.ip,
    port: candidate.port,
    ufrag: transport.iceParameters.usernameFragment,
    password: transport.iceParameters.password,
    fingerprint: transport.dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === "sha-256").value,
  };
}

try {
  const { mediasoup, version } = load();
  const worker = await mediasoup.createWorker({ logLevel: "error", rtcMinPort: 10000, rtcMaxPort: 65000 });
  const peer = new Peer(worker);
  say({ name: `mediasoup ${version}`, pid: worker.pid });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    try {
      say(await (request.do === "publish" ? peer.publish(request) : peer.subscribe(request)));
    } catch (problem) {
      say({ error: String(problem) });
    }
  }
  worker.close();
} catch (problem) {
  say({ error: `mediasoup does not start (npm install mediasoup, here or in $MEDIASOUP_FOLDER): ${problem.message}` });
  process.exitCode = 1;
}
