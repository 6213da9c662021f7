using System.Diagnostics;
using Voice.Media.Checkpoints;
using Voice.Media.Dtls;
using Voice.Media.Ice;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Media;

/// <summary>A browser's path: ICE, DTLS and SRTP.</summary>
public sealed class WebRtcTransport : Transport, IDisposable
{
    // What the checkpoint holds, besides the address.
    private const int RtcpReserved = 0;
    private const int Reporter = 5;

    /// <summary>SRTCP indexes that are reserved at a time: a minute of reports.</summary>
    private const uint RtcpBlock = 64;

    private readonly IceLite ice;
    private readonly List<ValidatedAddress> expired = [];
    private readonly List<Checkpoint> heardRtp = new(2);
    private readonly List<Checkpoint> heardRtcp = new(2);
    private DtlsSession? dtls;
    private SrtpReceiver? ingress;
    private SrtpContext? egress;
    private uint rtcpIndex;
    private uint rtcpReserved;

    internal WebRtcTransport(Worker worker, PutTransport put, WebRtcPath path, Checkpoint checkpoint)
        : base(worker, put, checkpoint)
    {
        Path = path;
        ice = new(path.LocalUfrag, path.LocalPassword, path.RemoteUfrag);
    }

    /// <summary>The address that the client nominated.</summary>
    public override Destination? Selected => ice.Selected;

    internal override uint ReporterSsrc
    {
        get => (uint)Checkpoint[Reporter];
        set => Checkpoint.Set(Reporter, value);
    }

    internal WebRtcPath Path { get; }

    internal string Username => ice.Username;

    /// <param name="from">An address of this transport, unless the datagram is STUN.</param>
    /// <inheritdoc/>
    internal override DropReason? Receive(Span<byte> datagram, PacketKind kind, in RemoteEndPoint from, TimeSpan now) => kind switch
    {
        _ when State == TransportState.Closed => DropReason.TransportClosed,
        PacketKind.Stun => ReceiveStun(datagram, from, now),
        PacketKind.Dtls => ReceiveDtls(datagram, from),
        PacketKind.Rtp => ReceiveRtp(datagram, now),
        PacketKind.Rtcp => ReceiveRtcp(datagram, now),
        _ => DropReason.UnknownKind,
    };

    private DropReason? ReceiveStun(ReadOnlySpan<byte> datagram, in RemoteEndPoint from, TimeSpan now)
    {
        if (!StunMessage.TryParse(datagram, out var check)) return DropReason.StunMalformed;
        if (ice.Authenticate(check, from) is { } refusal) return refusal;

        Span<byte> response = stackalloc byte[256];
        if (ice.Refuse(check, response, out var length) is { } reason)
        {
            Worker.Send(response[..length], new Destination(from));
            return reason;
        }

        Worker.Routes.Claim(from, this);
        var before = ice.Selected;
        var address = ice.Validate(check, from, now, out var forgotten);
        if (ice.Selected != before) SavedAddress.Save(Checkpoint, ice.Selected!.Remote, proved: true);
        if (forgotten is not null) Worker.Routes.Release(forgotten.Destination.Remote, this);
        if (State == TransportState.New) State = TransportState.Reachable;
        Worker.Send(response[..ice.Answer(check, from, response)], address.Destination);
        return null;
    }

    private DropReason? ReceiveDtls(ReadOnlySpan<byte> datagram, in RemoteEndPoint from)
    {
        Debug.Assert(State is TransportState.Reachable or TransportState.Connected, "closed ones get nothing");
        Debug.Assert(ice.Find(from) is not null, "the worker found us by a validated address");
        if (dtls is null)
        {
            // Of a handshake that another process had, only the keys are left.
            if (State == TransportState.Connected || !LooksLikeHandshake(datagram)) return DropReason.DtlsUnexpected;
            dtls = Worker.StartDtls(this, ice.Find(from)!.Destination);
            if (dtls is null) return DropReason.DtlsPoolFull;
        }
        return dtls.TryDeliver(datagram) ? null : DropReason.DtlsQueueFull;
    }

    private DropReason? ReceiveRtp(Span<byte> datagram, TimeSpan now)
    {
        if (State != TransportState.Connected) return DropReason.NotConnected;
        Debug.Assert(ingress is not null && egress is not null, "connected has keys");

        var result = ingress.TryUnprotect(datagram, datagram, out var length, out var index);
        if (result != SrtpResult.Ok) return RtpRefusal(result);
        // Before anything is done with it, so that it is not taken twice, whatever happens to this process.
        Note(heardRtp, CheckpointKind.Rtp, ingress.RtpStreams, ingress.LastRtp);
        return Hear(datagram[..length], index, now);
    }

    private DropReason? ReceiveRtcp(Span<byte> datagram, TimeSpan now)
    {
        if (State != TransportState.Connected) return DropReason.NotConnected;
        Debug.Assert(ingress is not null, "connected has keys");

        var result = ingress.TryUnprotectRtcp(datagram, datagram, out var length);
        if (result != SrtpResult.Ok) return RtcpRefusal(result);
        Note(heardRtcp, CheckpointKind.Rtcp, ingress.RtcpStreams, ingress.LastRtcp);
        return HearRtcp(datagram[..length], now);
    }

    private void Note(List<Checkpoint> heard, CheckpointKind kind, ReadOnlySpan<SrtpStreamState> streams, int place)
    {
        if (place == heard.Count) heard.Add(Worker.Checkpoints.TryAdd(kind, Id, streams[place].Ssrc) ?? Worker.Checkpoints.Nowhere);
        heard[place].Set(0, streams[place].Window.Highest + 1); // 0: there was no packet
    }

    private protected override int PreloadKey(bool ingress) => ingress ? this.ingress?.Preload() ?? 0 : egress?.Preload() ?? 0;

    internal override DropReason? Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> datagram, out int length)
    {
        Debug.Assert(egress is not null, "connected has keys");
        length = egress.Protect(header, payload, index, datagram);
        return null;
    }

    /// <summary>One index for all our SSRCs here: never used twice with any (RFC 3711 section 3.4).</summary>
    /// <inheritdoc/>
    internal override void SendRtcp(ReadOnlySpan<byte> compound, Span<byte> scratch)
    {
        if (egress is null || Selected is null || rtcpIndex >= SrtpContext.RtcpIndexLimit) return;
        if (rtcpIndex >= rtcpReserved) Checkpoint.Set(RtcpReserved, rtcpReserved = rtcpIndex + RtcpBlock);
        var length = egress.ProtectRtcp(compound, rtcpIndex++, scratch);
        Worker.Send(scratch[..length], Selected);
    }

    /// <summary>The handshake is done: media can flow.</summary>
    internal void Connect(DtlsKeys keys)
    {
        Debug.Assert(State == TransportState.Reachable, "a handshake starts from a validated address, and once");
        Use(keys.Profile, keys.KeyingMaterial);
    }

    private void Use(ushort profile, byte[] keyingMaterial)
    {
        var material = new SrtpKeyingMaterial((SrtpProfile)profile, keyingMaterial);
        ingress = new(material.CreateClientContext()); // the client is the DTLS client
        egress = material.CreateServerContext();
        State = TransportState.Connected;
    }

    /// <summary>Every index that the earlier process may have used is passed over, and what it took counts as seen.</summary>
    /// <inheritdoc/>
    private protected override void ResumePath(IReadOnlyList<Checkpoint> left, TimeSpan now)
    {
        if (Put.Resumed is not { } keys)
        {
            // Its handshake was not done, and begins anew.
            foreach (var its in left.Where(its => its.Kind is CheckpointKind.Rtp or CheckpointKind.Rtcp)) Worker.Checkpoints.Remove(its);
            return;
        }
        if (left.Count == 0) return;
        Use(keys.Profile, keys.KeyingMaterial);
        rtcpIndex = rtcpReserved = (uint)Math.Min(Checkpoint[RtcpReserved], SrtpContext.RtcpIndexLimit);
        ingress!.Restore(Heard(left, CheckpointKind.Rtp, heardRtp), Heard(left, CheckpointKind.Rtcp, heardRtcp));
        // A process that was killed while it wrote the address has left none.
        if (SavedAddress.Load(Checkpoint).Address is not { } address && !RemoteEndPoint.TryFromWire(keys.RemoteAddress, out address)) return;
        ice.Resume(address, now);
        Worker.Routes.Claim(address, this);
    }

    private static SrtpStreamState[] Heard(IReadOnlyList<Checkpoint> left, CheckpointKind kind, List<Checkpoint> heard)
    {
        heard.AddRange(left.Where(checkpoint => checkpoint.Kind == kind && checkpoint[0] > 0));
        return [.. heard.Select(checkpoint => new SrtpStreamState(checkpoint.Ssrc, ReplayWindow.After(checkpoint[0] - 1)))];
    }

    private protected override void RetirePath() => Checkpoint.Set(RtcpReserved, rtcpIndex);

    private protected override void ForgetPath()
    {
        foreach (var checkpoint in heardRtp) Worker.Checkpoints.Remove(checkpoint);
        foreach (var checkpoint in heardRtcp) Worker.Checkpoints.Remove(checkpoint);
    }

    internal void SendDtls(DtlsSession? session, byte[] datagram, Destination origin)
    {
        // Nominated or not: the handshake may run before the client has decided.
        if (session == dtls && State != TransportState.Closed) Worker.Send(datagram, Selected ?? origin);
    }

    internal bool Runs(DtlsSession? session) => State != TransportState.Closed && session == dtls;

    /// <summary>When the client's consent ran out.</summary>
    /// <inheritdoc/>
    internal override TransportCloseReason? Ending(TimeSpan now)
    {
        if (State is TransportState.New or TransportState.Closed) return null;
        expired.Clear();
        var keeps = ice.KeepsConsent(now, expired);
        foreach (var address in expired) Worker.Routes.Release(address.Destination.Remote, this);
        return keeps ? null : TransportCloseReason.ConsentExpired;
    }

    void IDisposable.Dispose() => Close();

    internal override void Close()
    {
        State = TransportState.Closed;
        dtls?.Abort();
        foreach (var address in ice.Addresses) Worker.Routes.Release(address.Destination.Remote, this);
        egress?.Dispose();
        ingress?.Dispose();
        (egress, ingress) = (null, null);
    }

    /// <summary>RFC 6347 section 4.1: content type 22.</summary>
    private static bool LooksLikeHandshake(ReadOnlySpan<byte> datagram) => datagram[0] == 22;

    private static DropReason RtpRefusal(SrtpResult result) => result switch
    {
        SrtpResult.Replayed => DropReason.SrtpReplayed,
        SrtpResult.TooOld => DropReason.SrtpTooOld,
        SrtpResult.AuthenticationFailed => DropReason.SrtpAuthentication,
        SrtpResult.TooManyStreams => DropReason.SrtpTooManyStreams,
        _ => DropReason.SrtpMalformed,
    };

    private static DropReason RtcpRefusal(SrtpResult result) => result switch
    {
        SrtpResult.Replayed => DropReason.SrtcpReplayed,
        SrtpResult.TooOld => DropReason.SrtcpTooOld,
        SrtpResult.AuthenticationFailed => DropReason.SrtcpAuthentication,
        SrtpResult.TooManyStreams => DropReason.SrtcpTooManyStreams,
        _ => DropReason.SrtcpMalformed,
    };
}
