using System.Buffers.Binary;
using Voice.Media.Checkpoints;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;

namespace Voice.Media;

/// <summary>A native client's or a bot's path: Discord's UDP protocol (protocol/udp-media.md). The key is there from the start; the
/// address is learned from the first packet that authenticates under it, and moves only with a newer one; not at all in modes in which
/// anybody on the way can make a packet look newer.</summary>
public sealed class UdpTransport : Transport, IDisposable
{
    // What the checkpoint holds, besides the address.
    private const int SendReserved = 0;
    private const int Highest = 4; // 0: there was no packet
    private const int TimestampAndReporter = 5;

    /// <summary>Nonces that are reserved at a time; a successor passes over what is left of them, which nobody can see.</summary>
    private const uint SendBlock = 1024;

    private readonly UdpProtection protection;
    private readonly RecentNonces? nonces;
    private SequenceWindow window;
    private Destination? destination;
    private bool bound;
    private bool everBound;
    private uint reserved;

    internal UdpTransport(Worker worker, PutTransport put, UdpPath path, Checkpoint checkpoint)
        : base(worker, put, checkpoint)
    {
        Path = path;
        protection = new(path.Mode, path.SecretKey, UdpEnd.Server);
        if (!path.Mode.AuthenticatesHeader) nonces = new();
        if (RemoteEndPoint.TryFromWire(path.Expected, out var expected)) destination = new(expected);
        State = TransportState.Connected;
    }

    /// <summary>Where an authenticated packet came from last; before the first, where signalling expects the client.</summary>
    public override Destination? Selected => destination;

    /// <summary>An authenticated packet gave the address.</summary>
    public bool IsBound => bound;

    /// <summary>Nothing tells where the client is, or ever did. Then RTCP may, too: a client that only listens sends nothing else. But
    /// once only: of recorded reports nothing tells that they are old, and <see cref="Lose"/> must not open the door to them.</summary>
    internal bool IsMissing => destination is null && !everBound;

    internal override uint ReporterSsrc
    {
        get => Checkpoint.Low(Checkpoint[TimestampAndReporter]);
        set => Checkpoint.Set(TimestampAndReporter, Checkpoint.Pair(window.Timestamp, value));
    }

    internal UdpPath Path { get; }

    internal UdpProtection Protection => protection;

    internal override bool ClockPauses => true;

    internal override DropReason? Receive(Span<byte> datagram, PacketKind kind, in RemoteEndPoint from, TimeSpan now) => kind switch
    {
        _ when State == TransportState.Closed => DropReason.TransportClosed,
        PacketKind.Rtp => ReceiveRtp(datagram, from, now),
        PacketKind.Rtcp => ReceiveRtcp(datagram, from, now),
        PacketKind.Ping or PacketKind.Keepalive => Echo(datagram, kind),
        _ => DropReason.UnknownKind,
    };

    /// <summary>The SSRC that a datagram claims to be of, if it is long enough for RTP.</summary>
    internal static uint? SsrcOf(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= RtpHeader.FixedLength ? BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]) : null;

    /// <summary>The SSRC that an RTCP packet claims to be sent by.</summary>
    internal static uint? SenderOf(ReadOnlySpan<byte> compound) =>
        compound.Length >= 8 ? BinaryPrimitives.ReadUInt32BigEndian(compound[4..]) : null;

    private DropReason? ReceiveRtp(Span<byte> datagram, in RemoteEndPoint from, TimeSpan now)
    {
        if (datagram.Length < RtpHeader.FixedLength) return DropReason.UdpMalformed;
        // Of the session's block of eight only the first is in use: video and its resends take the next ones.
        if (SsrcOf(datagram) != Path.Ssrc) return DropReason.UnknownSsrc;

        // All of this is clear, and true only if the packet authenticates and its mode authenticates headers.
        var (sequence, timestamp) = (BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]), BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]));
        switch (window.Check(sequence, timestamp, out var index))
        {
            case ReplayVerdict.Replayed: return DropReason.UdpReplayed;
            case ReplayVerdict.TooOld: return DropReason.UdpTooOld;
        }
        var nonce = nonces is null ? 0 : RecentNonces.Fold(protection.NonceOf(datagram));
        if (nonces?.Contains(nonce) == true) return DropReason.UdpReplayed;
        if (!protection.TryUnprotect(datagram, datagram, out var length)) return DropReason.UdpAuthentication;

        nonces?.Add(nonce);
        if (window.Commit(index, timestamp))
        {
            // Before anything is done with it, so that it is not taken twice, whatever happens to this process.
            Checkpoint.Set(Highest, index + 1);
            Checkpoint.Set(TimestampAndReporter, Checkpoint.Pair(timestamp, ReporterSsrc));
            Bind(from);
        }
        return Hear(datagram[..length], index, now);
    }

    /// <summary>Nothing tells a replayed report from a new one: none moves the address (<see cref="IsMissing"/>).</summary>
    private DropReason? ReceiveRtcp(Span<byte> datagram, in RemoteEndPoint from, TimeSpan now)
    {
        var nonce = nonces is null ? 0 : RecentNonces.Fold(protection.NonceOf(datagram));
        if (nonces?.Contains(nonce) == true) return DropReason.UdpReplayed;
        if (!protection.TryUnprotectRtcp(datagram, datagram, out var length)) return DropReason.UdpRtcpAuthentication;

        nonces?.Add(nonce);
        if (IsMissing) Bind(from);
        return HearRtcp(datagram[..length], now);
    }

    /// <summary>udp-media.md section 3. Only where our media goes anyway.</summary>
    private DropReason? Echo(Span<byte> datagram, PacketKind kind)
    {
        if (kind == PacketKind.Ping && NativePing.TryReadRequest(datagram, out var sequence)) NativePing.WriteResponse(datagram, sequence);
        Worker.Send(datagram, destination!);
        return null;
    }

    /// <summary>udp-media.md section 2: the packet was authentic, and newer than any before, so that a late one from the old address does
    /// not move it back (as RFC 9000 section 9.3 has it). Where the header is not authenticated, newer means nothing: the first one stays.</summary>
    private void Bind(in RemoteEndPoint from)
    {
        if (bound && (destination!.Remote == from || !Path.Mode.AuthenticatesHeader)) return;
        if (destination is { } old) Worker.Routes.Release(old.Remote, this);
        if (destination?.Remote != from) destination = new(from);
        bound = everBound = true;
        SavedAddress.Save(Checkpoint, from, proved: true);
        Worker.Routes.Move(from, this);
    }

    /// <summary>Another client authenticated from the address: this one is not there any more.</summary>
    internal void Lose(in RemoteEndPoint address)
    {
        if (destination?.Remote != address) return;
        (destination, bound) = (null, false);
        SavedAddress.Save(Checkpoint, null, everBound);
    }

    private protected override int PreloadKey(bool ingress) => protection.Preload();

    internal override DropReason? Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> datagram, out int length)
    {
        do
        {
            Reserve();
            if (!protection.TryProtect(header, payload, datagram, out length)) return DropReason.EgressExhausted;
        }
        while (protection.LooksExtended(datagram)); // once in 65,536: it gets the next nonce
        return null;
    }

    internal override void SendRtcp(ReadOnlySpan<byte> compound, Span<byte> scratch)
    {
        if (State != TransportState.Connected || destination is null) return;
        Reserve();
        if (protection.TryProtectRtcp(compound, scratch, out var length)) Worker.Send(scratch[..length], destination);
    }

    /// <summary>A nonce is used only when a successor would know.</summary>
    private void Reserve()
    {
        if (protection.Sent >= reserved) Checkpoint.Set(SendReserved, reserved = protection.Sent + SendBlock);
    }

    /// <inheritdoc cref="WebRtcTransport.ResumePath"/>
    private protected override void ResumePath(IReadOnlyList<Checkpoint> left, TimeSpan now)
    {
        protection.Sent = reserved = (uint)Checkpoint[SendReserved];
        if (Checkpoint[Highest] is > 0 and var next) window = SequenceWindow.After(next - 1, Checkpoint.High(Checkpoint[TimestampAndReporter]));
        var (address, proved) = SavedAddress.Load(Checkpoint);
        everBound = proved;
        if (!proved) return; // where signalling expects it, as before
        if (destination is { } expected) Worker.Routes.Release(expected.Remote, this);
        (destination, bound) = (address is { } known ? new(known) : null, address is not null);
        if (address is { } from) Worker.Routes.Move(from, this);
    }

    private protected override void RetirePath() => Checkpoint.Set(SendReserved, protection.Sent);

    /// <summary>When the key is used up. Whether the client is still there is signalling's to know: there is no consent to expire.</summary>
    /// <inheritdoc/>
    internal override TransportCloseReason? Ending(TimeSpan now) =>
        State == TransportState.Connected && protection.IsExhausted ? TransportCloseReason.KeyExhausted : null;

    void IDisposable.Dispose() => Close();

    internal override void Close()
    {
        State = TransportState.Closed;
        if (destination is { } address) Worker.Routes.Release(address.Remote, this);
        (destination, bound) = (null, false);
        protection.Dispose();
    }
}
