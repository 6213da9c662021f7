using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Voice.Media.Checkpoints;
using Voice.Media.Dtls;
using Voice.Media.Net.Linux;
using Voice.Media.Rings;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Media.Net;

/// <summary>What a process does while it waits for its turn: it takes over and serves a small conversation of its own, on sockets and in memory of its
/// own. So everything is compiled, loaded and paged in when people wait for it.</summary>
internal static class Practice
{
    private const int Rounds = 100;
    private const int PacketsEach = 3;

    /// <summary>On a thread of its own, of a lower priority: others may need the processor. Not of the lowest: it compiles and collects, for which the
    /// process's other threads must wait when its turn comes.</summary>
    /// <param name="enough">The process's turn has come: to stop early is fine.</param>
    /// <param name="done">Called when there is nothing left to practise.</param>
    public static void Start(Func<bool> enough, Action done) => new Thread(() =>
    {
        if (OperatingSystem.IsLinux()) _ = Libc.nice(5);
        try
        {
            using var conversation = new Conversation();
            conversation.Run(enough);
        }
        catch (SocketException)
        {
            // Without loopback there is nothing to practise on.
        }
        GC.Collect();
        done();
    })
    { IsBackground = true, Name = "practice" }.Start();

    private sealed class Conversation : IDisposable
    {
        private readonly DtlsServer dtls = new();
        private readonly Socket[] sockets = [Bind(), Bind()];
        private readonly WorkerLoop[] loops;
        private readonly WorkerPlan plan = new(2);
        private readonly Peer[] peers;
        private long delta;

        public Conversation()
        {
            peers =
            [
                new Peer(1, worker: 0, sockets[0], null), new Peer(2, worker: 1, sockets[1], null),
                new Peer(3, worker: 0, sockets[0], EncryptionMode.AeadAes256GcmRtpSize),
                new Peer(4, worker: 1, sockets[1], EncryptionMode.AeadXChaCha20Poly1305RtpSize.IsSupported
                    ? EncryptionMode.AeadXChaCha20Poly1305RtpSize
                    : EncryptionMode.AeadAes256GcmRtpSize),
            ];
            var memory = CheckpointMemory.Private(2, bytes: 64 * 1024);
            var rings = new WorkerRings(2);
            foreach (var peer in peers) memory.Of(peer.Put.Worker).TryAdd(CheckpointKind.Transport, peer.Put.Id, 0); // as an earlier process left it
            loops = [.. sockets.Select((socket, i) => new WorkerLoop(i, [socket], dtls, rings, memory.ForAnotherProcess(i), _ => { }, _ => { }))];
        }

        public void Run(Func<bool> enough)
        {
            var whole = plan.SplitWhole(((MediaSnapshot)Crossed(new MediaSnapshot(0, [], [], Puts()))).Changes);
            for (var i = 0; i < loops.Length; i++)
            {
                loops[i].Begin(whole[i]);
                loops[i].Settle();
                loops[i].Start();
            }
            for (var round = 0; round < Rounds && !enough(); round++)
            {
                foreach (var peer in peers) peer.Speak(PacketsEach);
                if (round % 10 == 0) Mute(round % 20 == 0);
                Thread.Sleep(20);
            }
            foreach (var loop in loops) loop.Stop();
            foreach (var loop in loops) loop.Stopped();
            foreach (var loop in loops) loop.Worker.Retire();
        }

        public void Dispose()
        {
            foreach (var loop in loops) loop.Dispose();
            foreach (var peer in peers) peer.Dispose();
            dtls.Dispose();
        }

        private MediaChange[] Puts() =>
        [
            .. peers.Select(peer => peer.Put), .. peers.Select(peer => peer.Track),
            .. from talker in peers from listener in peers where talker != listener select Subscription(talker, listener, Gates.None),
        ];

        private void Mute(bool muted)
        {
            var change = Subscription(peers[0], peers[1], muted ? Gates.TalkerMuted : Gates.None);
            var parts = plan.Split(((MediaDelta)Crossed(new MediaDelta(++delta, [change]))).Changes);
            for (var i = 0; i < loops.Length; i++) loops[i].Apply(parts[i]);
        }

        private static PutSubscription Subscription(Peer talker, Peer listener, Gates gates) => new(talker.Track.Ssrc, listener.Put.Id, talker.Track.Ssrc, gates);

        /// <summary>The command as it is when it has crossed a link.</summary>
        private static MediaCommand Crossed(MediaCommand command)
        {
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            using var node = new LinkConnection<MediaCommand, MediaEvent>(new OneWay(pipe), MediaLink.MaxFrame);
            using var media = new LinkConnection<MediaEvent, MediaCommand>(new OneWay(pipe), MediaLink.MaxFrame);
            return Crossing().GetAwaiter().GetResult();

            async Task<MediaCommand> Crossing()
            {
                await node.SendAsync(command);
                await foreach (var taken in media.ReceiveAsync()) return taken;
                throw new EndOfStreamException();
            }
        }

        private static Socket Bind()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return socket;
        }
    }

    /// <summary>What is written comes back.</summary>
    private sealed class OneWay(Pipe pipe) : IDuplexPipe
    {
        public PipeReader Input => pipe.Reader;

        public PipeWriter Output => pipe.Writer;
    }

    /// <summary>One who talks and does not listen: a browser that is past its handshake, or a native client.</summary>
    private sealed class Peer : IDisposable
    {
        private const int OpusPayload = 80;

        private readonly Socket socket;
        private readonly SrtpContext? srtp;
        private readonly UdpProtection? udp;
        private readonly byte[] datagram = new byte[Worker.MaxDatagram];
        private ulong index = 1;
        private uint rtcpIndex;

        /// <param name="mode">Null: a browser.</param>
        public Peer(uint id, int worker, Socket server, EncryptionMode? mode)
        {
            socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            socket.Connect(server.LocalEndPoint!);
            var key = RandomNumberGenerator.GetBytes(EncryptionModes.KeyLength);
            Track = new(8 * id, id, TrackKind.Audio, 48_000, 8 * id);
            if (mode is { } native)
            {
                udp = new(native, key, UdpEnd.Client);
                Put = new(id, worker, 120, 1, new UdpPath(native, key, 8 * id, []), new ResumedMedia(0, [], []));
                return;
            }
            var keys = RandomNumberGenerator.GetBytes(SrtpProfile.AeadAes128Gcm.KeyingMaterialLength);
            srtp = new SrtpKeyingMaterial(SrtpProfile.AeadAes128Gcm, keys).CreateClientContext();
            var path = new WebRtcPath($"ours{id}", "a-password-of-22-chars", $"theirs{id}", new byte[32], [(ushort)SrtpProfile.AeadAes128Gcm]);
            Put = new(id, worker, 111, 1, path, new ResumedMedia((ushort)SrtpProfile.AeadAes128Gcm, keys, RemoteEndPoint.From((IPEndPoint)socket.LocalEndPoint!).ToWire()));
        }

        public PutTransport Put { get; }

        public PutTrack Track { get; }

        public void Speak(int packets)
        {
            Span<byte> header = stackalloc byte[RtpHeader.MaxLength];
            Span<byte> payload = stackalloc byte[OpusPayload];
            for (var i = 0; i < packets; i++, index++)
            {
                var written = RtpHeader.Write(header, false, Put.OpusPayloadType, (ushort)index, (uint)index * 960, Track.SenderSsrc, Put.AudioLevelExtension, 30);
                var length = srtp?.Protect(header[..written], payload, index, datagram) ?? 0;
                udp?.TryProtect(header[..written], payload, datagram, out length);
                Send(length);
            }
            Report();
            if (Put.Path is WebRtcPath path) Check(path);
        }

        public void Dispose()
        {
            socket.Dispose();
            srtp?.Dispose();
            udp?.Dispose();
        }

        private void Report()
        {
            Span<byte> compound = stackalloc byte[64];
            var writer = new RtcpWriter(compound);
            writer.SenderReport(new SenderReport(Track.SenderSsrc, 1, (uint)index * 960, (uint)index, 0), []);
            var length = srtp?.ProtectRtcp(compound[..writer.Length], rtcpIndex++, datagram) ?? 0;
            udp?.TryProtectRtcp(compound[..writer.Length], datagram, out length);
            Send(length);
        }

        private void Check(WebRtcPath path)
        {
            var writer = new StunWriter(datagram, StunClass.Request, StunMethod.Binding, RandomNumberGenerator.GetBytes(StunMessage.TransactionIdLength));
            writer.AddUsername(Encoding.UTF8.GetBytes($"{path.LocalUfrag}:{path.RemoteUfrag}"));
            writer.AddIceControlling(1);
            writer.AddPriority(1);
            writer.AddUseCandidate();
            writer.AddMessageIntegrity(Encoding.UTF8.GetBytes(path.LocalPassword));
            writer.AddFingerprint();
            Send(writer.Length);
        }

        private void Send(int length)
        {
            try
            {
                socket.Send(datagram.AsSpan(0, length));
            }
            catch (SocketException)
            {
                // Its own buffer is full of what it did not read.
            }
        }
    }
}
