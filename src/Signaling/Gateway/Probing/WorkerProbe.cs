using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Ogg;
using Voice.Protocol.Rtp;

namespace Voice.Signaling.Gateway.Probing;

/// <summary>Which of a hidden channel's two clients a packet is of; each has a socket of its own, since a media worker takes what comes from
/// one address for one client's.</summary>
internal enum ProbeSide
{
    Talker,
    Listener,
}

/// <summary>Sends a datagram; one that cannot be sent is lost like any other. The span is valid during the call.</summary>
internal delegate void ProbeSend(ProbeSide side, IPEndPoint to, ReadOnlySpan<byte> datagram);

/// <summary>The hidden channel through one media worker: what the talker says, and whether the listener heard it. Told the time, handed the
/// bytes. An answer is a packet that authenticates under the listener's key, with a payload that was sent lately and that did not come
/// back before: nobody can make one, and a recorded one is none.</summary>
internal sealed class WorkerProbe : IDisposable
{
    /// <summary>Bytes, as of speech at 40 kbit/s.</summary>
    public const int PayloadLength = 100;

    /// <summary>What did not come back within it is lost, and no answer any more.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(4);

    /// <summary>An answer this slow is counted, and is one all the same: it says that the worker forwards now.</summary>
    public static readonly TimeSpan LateAfter = TimeSpan.FromSeconds(1);

    /// <summary>Packets of the talker's that may still come back: those of <see cref="LostAfter"/>, at the shortest period.</summary>
    private const int Remembered = 256;

    /// <summary>How often the listener says where it is, though it is heard of: routers forget mappings, the shortest-lived after 30 s.</summary>
    private static readonly TimeSpan ListenerEvery = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which the worker may have forgotten where the listener is.</summary>
    private static readonly TimeSpan SilentAfter = TimeSpan.FromMilliseconds(400);

    /// <summary>Packets that each of the worker's addresses gets before the next one is tried, until one leads to an answer.</summary>
    private const ulong TriesOfAddress = 4;

    private const byte OpusPayloadType = 120;
    private const byte Toc = 31 << 3; // RFC 6716 section 3.1: CELT, full band, 20 ms, mono, one frame
    private const int NumberOffset = 1;
    private const int BodyOffset = NumberOffset + sizeof(ulong);

    private readonly ProbeChannel channel;
    private readonly IPEndPoint[] addresses;
    private readonly UdpProtection talker;
    private readonly UdpProtection listener;
    private readonly byte[] payload = new byte[PayloadLength];
    private readonly byte[] datagram = new byte[RtpHeader.FixedLength + PayloadLength + UdpProtection.MaxOverhead];
    private readonly TimeSpan[] sentAt = new TimeSpan[Remembered];
    private readonly bool[] answered = new bool[Remembered];
    private IPEndPoint? proven;
    private ulong oldest;
    private ulong next;
    private ulong listenerNext;
    private TimeSpan listenerAt;

    /// <param name="index">Of the worker.</param>
    /// <param name="addresses">Of the worker, those that can be sent to; not empty.</param>
    public WorkerProbe(int index, ProbeChannel channel, IPEndPoint[] addresses)
    {
        (Index, this.channel, this.addresses) = (index, channel, addresses);
        talker = new(EncryptionMode.AeadAes256GcmRtpSize, channel.Talker.SecretKey, UdpEnd.Client);
        listener = new(EncryptionMode.AeadAes256GcmRtpSize, channel.Listener.SecretKey, UdpEnd.Client);
        payload[0] = Toc;
        RandomNumberGenerator.Fill(payload.AsSpan(BodyOffset));
    }

    public int Index { get; }

    /// <summary>That answers come under.</summary>
    public uint Ssrc => channel.Talker.Ssrc;

    /// <summary>When the last answer came; null: none ever did.</summary>
    public TimeSpan? HeardAt { get; private set; }

    public long Sent => (long)next;

    /// <summary>Packets that did not come back within <see cref="LostAfter"/>.</summary>
    public long Lost { get; private set; }

    /// <summary>The same channel, as the node names it.</summary>
    public bool IsOf(ProbeChannel other) =>
        channel.Talker.Ssrc == other.Talker.Ssrc && channel.Listener.Ssrc == other.Listener.Ssrc
        && channel.Talker.SecretKey.AsSpan().SequenceEqual(other.Talker.SecretKey)
        && channel.Listener.SecretKey.AsSpan().SequenceEqual(other.Listener.SecretKey);

    /// <summary>One packet of the talker's, and before it one of the listener's where the worker may not know its address (udp-media.md
    /// section 2: an authenticated packet tells it).</summary>
    public void Send(TimeSpan now, ProbeSend send)
    {
        Forget(now);
        var number = next++;
        var to = proven ?? AddressOf(number);
        if (HeardAt is not { } heard || now - heard >= SilentAfter || now - listenerAt >= ListenerEvery)
        {
            Send(ProbeSide.Listener, listener, listenerNext++, channel.Listener.Ssrc, OpusToc.SilenceFrame, now, to, send);
            listenerAt = now;
        }

        (sentAt[number % Remembered], answered[number % Remembered]) = (now, false);
        BinaryPrimitives.WriteUInt64BigEndian(payload.AsSpan(NumberOffset), number);
        Send(ProbeSide.Talker, talker, number, channel.Talker.Ssrc, payload, now, to, send);
    }

    /// <param name="received">A datagram that came to the listener's socket; left as it is.</param>
    /// <param name="roundTrip">Of an answer.</param>
    /// <returns>Whether it is an answer.</returns>
    public bool TryTake(ReadOnlySpan<byte> received, TimeSpan now, out TimeSpan roundTrip)
    {
        roundTrip = default;
        Span<byte> plain = stackalloc byte[RtpHeader.MaxLength + PayloadLength + UdpProtection.MaxOverhead];
        if (received.Length > plain.Length) return false;
        if (!listener.TryUnprotect(received, plain, out var length)) return false;
        if (!RtpPacket.TryParse(plain[..length], out var packet) || packet.Ssrc != Ssrc || packet.PayloadType != OpusPayloadType) return false;

        Forget(now);
        if (!TryReadNumber(packet.Payload, out var number) || number < oldest || number >= next || answered[number % Remembered]) return false;
        answered[number % Remembered] = true;
        proven ??= AddressOf(number);
        roundTrip = now - sentAt[number % Remembered];
        HeardAt = now;
        return true;
    }

    public void Dispose()
    {
        talker.Dispose();
        listener.Dispose();
    }

    /// <summary>Makes room for one more, at least.</summary>
    private void Forget(TimeSpan now)
    {
        for (; oldest < next && (next - oldest == Remembered || now - sentAt[oldest % Remembered] > LostAfter); oldest++)
        {
            if (!answered[oldest % Remembered]) Lost++;
        }
    }

    private IPEndPoint AddressOf(ulong number) => addresses[number / TriesOfAddress % (ulong)addresses.Length];

    private bool TryReadNumber(ReadOnlySpan<byte> said, out ulong number)
    {
        number = 0;
        if (said.Length != PayloadLength || said[0] != Toc || !said[BodyOffset..].SequenceEqual(payload.AsSpan(BodyOffset))) return false;
        number = BinaryPrimitives.ReadUInt64BigEndian(said[NumberOffset..]);
        return true;
    }

    private void Send(
        ProbeSide side, UdpProtection key, ulong number, uint ssrc, ReadOnlySpan<byte> said, TimeSpan now, IPEndPoint to, ProbeSend send)
    {
        Span<byte> header = stackalloc byte[RtpHeader.FixedLength];
        var timestamp = (uint)(now.Ticks / (TimeSpan.TicksPerSecond / OpusToc.SampleRate)); // near enough to 48 kHz, and never back
        RtpHeader.Write(header, marker: false, OpusPayloadType, (ushort)number, timestamp, ssrc);
        if (key.TryProtect(header, said, datagram, out var length)) send(side, to, datagram.AsSpan(0, length));
    }
}
