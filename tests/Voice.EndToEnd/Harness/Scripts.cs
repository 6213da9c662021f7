namespace Voice.EndToEnd.Harness;

/// <summary>What tests inject into pages, before the page's own scripts.</summary>
public static class Scripts
{
    /// <summary>`ears.hear(tones)`: decibels of each tone in what the page receives.</summary>
    public static string Ears { get; } = Read("ears.js");

    /// <summary>`opusFrames`: numbered frames.</summary>
    public static string Frames { get; } = Read("frames.js");

    /// <summary>`counters`: the page sends and reads numbered frames. After <see cref="Frames"/>.</summary>
    public static string Counters { get; } = Read("counters.js");

    /// <summary>Another certificate's fingerprint in the client's Select Protocol.</summary>
    public const string WrongFingerprint = """
        (() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            return send.call(this, String(data).replaceAll(/a=fingerprint:sha-256 ([0-9A-F:]{95})/g,
              (_, print) => 'a=fingerprint:sha-256 ' + print.split(':').reverse().join(':')));
          };
        })();
        """;

    /// <summary>`clock.joined`: when op 4 was sent; `clock.heard`: when the first sound of somebody was played out. Milliseconds
    /// since 1970, comparable between pages of one machine.</summary>
    public const string Clock = """
        window.clock = { joined: 0, heard: 0 };
        (() => {
          const now = () => performance.timeOrigin + performance.now();
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            const message = typeof data === 'string' ? JSON.parse(data) : {};
            if (message.op === 4 && message.d.channel_id) clock.joined = now();
            return send.call(this, data);
          };
          const samples = new Float32Array(256);
          let context, analyser, tapped;
          setInterval(() => {
            const stream = [...(window.voice?.streams.values() ?? [])][0];
            if (!stream || clock.heard) return;
            context ??= new AudioContext();
            analyser ??= new AnalyserNode(context, { fftSize: 256 });
            if (tapped !== stream) context.createMediaStreamSource(tapped = stream).connect(analyser);
            analyser.getFloatTimeDomainData(samples);
            if (samples.some(sample => Math.abs(sample) > 0.01)) clock.heard = now();
          }, 5);
        })();
        """;

    /// <summary>`trail`: what went over the page's WebSockets, and what became of its call; the last of it, for whoever asks why a test failed.</summary>
    public const string Trail = """
        window.trail = [];
        (() => {
          const note = text => {
            trail.push(`${(performance.now() / 1000).toFixed(2)} ${text}`);
            if (trail.length > 80) trail.shift();
          };
          const Socket = window.WebSocket;
          let opened = 0;
          window.WebSocket = class extends Socket {
            constructor(...parameters) {
              super(...parameters);
              const [name, beats] = this.url.endsWith('?v=8') ? [`voice ${++opened}`, [3, 6]] : [`gateway ${++opened}`, [1, 11]];
              const frame = (way, data) => {
                const { op, t, d } = typeof data === 'string' ? JSON.parse(data) : {};
                if (beats.includes(op)) return;
                note(`${name} ${way} ${op} ${t ?? ''} ${['channel_id', 'session_id', 'endpoint'].filter(key => d?.[key] !== undefined).map(key => `${key} ${d[key]}`).join(' ')}`);
              };
              this.frame = frame;
              note(`${name} to ${this.url}`);
              this.addEventListener('message', event => frame('<', event.data));
              this.addEventListener('close', event => note(`${name} closed ${event.code} ${event.reason}`));
            }
            send(data) {
              this.frame('>', data);
              super.send(data);
            }
          };
          addEventListener('DOMContentLoaded', () => {
            const timer = setInterval(() => {
              if (!window.voice) return;
              clearInterval(timer);
              window.voice.addEventListener('state', event => note(`${event.detail.state} ${event.detail.reason ?? ''}`));
              window.voice.addEventListener('error', event => note(`error: ${event.detail.message}`));
            }, 1);
          });
        })();
        """;

    /// <summary>`sockets`: the page's WebSockets; `sent(op)`: how often that opcode was sent to the voice server; `states`: what the
    /// call went through.</summary>
    public const string Sockets = """
        window.sockets = [];
        window.states = [];
        (() => {
          const Socket = window.WebSocket;
          const opcodes = [];
          window.sent = op => opcodes.filter(sent => sent === op).length;
          window.WebSocket = class extends Socket {
            constructor(...parameters) { super(...parameters); sockets.push(this); }
            send(data) {
              if (this.url.endsWith('?v=8')) opcodes.push(JSON.parse(data).op);
              super.send(data);
            }
          };
          addEventListener('DOMContentLoaded', () => {
            const timer = setInterval(() => {
              if (!window.voice) return;
              clearInterval(timer);
              window.voice.addEventListener('state', event => states.push(event.detail.state));
            }, 1);
          });
        })();
        """;

    /// <summary>`flood(on)`: the sender adds many tiny packets to each real one, so that its sequence number wraps in seconds
    /// and not in twenty minutes.</summary>
    public const string Flood = """
        (() => {
          let flooding = false;
          window.flood = on => { flooding = on; };
          const Peer = window.RTCPeerConnection;
          window.RTCPeerConnection = class extends Peer {
            constructor(configuration) {
              super({ ...configuration, encodedInsertableStreams: true });
            }

            addTransceiver(...parameters) {
              const transceiver = super.addTransceiver(...parameters);
              if (transceiver.direction !== 'sendonly') return transceiver;
              const { readable, writable } = transceiver.sender.createEncodedStreams();
              readable.pipeThrough(new TransformStream({
                transform(frame, controller) {
                  controller.enqueue(frame);
                  for (let i = 0; flooding && i < 100; i++) {
                    const copy = new RTCEncodedAudioFrame(frame);
                    copy.data = new Uint8Array([0xf8, 0xff, 0xfe]).buffer; // Opus: 20 ms of silence
                    controller.enqueue(copy);
                  }
                },
              })).pipeTo(writable);
              return transceiver;
            }
          };
        })();
        """;

    private static string Read(string name)
    {
        using var stream = typeof(Scripts).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
