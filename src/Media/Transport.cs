using System.Diagnostics;
using Voice.Media.Dtls;
using Voice.Media.Ice;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Protocol.Stun;

namespace Voice.Media;

public enum TransportState
{
    /// <summary>Waits for an authenticated check.</summary>
    New,

    /// <summary>Has a validated address; waits for the client's DTLS, or is in the handshake.</summary>
    Reachable,

    /// <summary>Has SRTP keys: media flows.</summary>
    Connected,

    /// <summary>Ended; waits to be dropped.</summary>
    Closed,
}

/// <summary>One client's path to us: ICE, DTLS and SRTP, the tracks it sends and the streams it gets. It knows no channel and no
/// other client. The worker's thread only.</summary>
public sealed class Transport : IDisposable
{
    private readonly Worker worker;
    private readonly IceLite ice;
    private readonly List<Track> tracks = [];
    private readonly Dictionary<uint, EgressStream> streams = [];
    private readonly Dictionary<uint, ulong> used = [];
    private readonly List<ValidatedAddress> expired = [];
    private DtlsSession? dtls;
    private SrtpReceiver? ingress;
    private uint rtcpIndex;

    internal Transport(Worker worker, PutTransport put, WebRtcPath path)
    {
        this.worker = worker;
        (Put, Path) = (put, path);
        ice = new(path.LocalUfrag, path.LocalPassword, path.RemoteUfrag);
    }

    public uint Id => Put.Id;

    public TransportState State { get; private set; }

    /// <summary>Where we send: the address that the client nominated.</summary>
    public Destination? Selected => ice.Selected;

    public byte OpusPayloadType => Put.OpusPayloadType;

    public byte AudioLevelExtension => Put.AudioLevelExtension;

    public IReadOnlyList<Track> Tracks => tracks;

    /// <summary>What it is subscribed to, by the SSRC that it sees.</summary>
    public IReadOnlyDictionary<uint, EgressStream> Streams => streams;

    /// <summary>SSRCs that are no longer sent and whose index is kept.</summary>
    internal int UsedSsrcs => used.Count;

    internal PutTransport Put { get; }

    internal WebRtcPath Path { get; }

    internal string Username => ice.Username;

    /// <summary>Our own SSRC, of receiver reports.</summary>
    internal uint ReporterSsrc { get; init; }

    internal TimeSpan NextReport { get; set; }

    internal List<Subscription> Subscriptions { get; } = [];

    /// <summary>Null unless connected.</summary>
    internal SrtpContext? Egress { get; private set; }

    /// <summary>Null if the datagram was used, else why not.</summary>
    /// <param name="datagram">Decrypted in place.</param>
    /// <param name="from">An address of this transport, unless the datagram is STUN.</param>
    internal DropReason? Receive(Span<byte> datagram, in RemoteEndPoint from, TimeSpan now) => Demux.Classify(datagram) switch
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
            worker.Send(response[..length], new Destination(from));
            return reason;
        }

        worker.Claim(from, this);
        var address = ice.Validate(check, from, now, out var forgotten);
        if (forgotten is not null) worker.Release(forgotten.Destination.Remote, this);
        if (State == TransportState.New) State = TransportState.Reachable;
        worker.Send(response[..ice.Answer(check, from, response)], address.Destination);
        return null;
    }

    private DropReason? ReceiveDtls(ReadOnlySpan<byte> datagram, in RemoteEndPoint from)
    {
        Debug.Assert(State is TransportState.Reachable or TransportState.Connected, "closed ones get nothing");
        Debug.Assert(ice.Find(from) is not null, "the worker found us by a validated address");
        if (dtls is null)
        {
            if (!LooksLikeHandshake(datagram)) return DropReason.DtlsUnexpected;
            dtls = worker.StartDtls(this, ice.Find(from)!.Destination);
            if (dtls is null) return DropReason.DtlsPoolFull;
        }
        return dtls.TryDeliver(datagram) ? null : DropReason.DtlsQueueFull;
    }

    private DropReason? ReceiveRtp(Span<byte> datagram, TimeSpan now)
    {
        if (State != TransportState.Connected) return DropReason.NotConnected;
        Debug.Assert(ingress is not null && Egress is not null, "connected has keys");

        var result = ingress.TryUnprotect(datagram, datagram, out var length, out var index);
        if (result != SrtpResult.Ok) return RtpRefusal(result);
        var parsed = RtpPacket.TryParse(datagram[..length], out var packet);
        Debug.Assert(parsed, "the header is clear: it parsed before");

        if (TrackOf(packet) is not { } track) return DropReason.UnknownSsrc;
        track.Reception.Packet(index, packet.Timestamp, now);

        if (UnfitToForward(packet, out var payload) is { } reason)
        {
            Forwarder.Skip(track, index);
            return reason;
        }
        worker.Forwarder.Forward(track, packet, payload, LevelOf(packet), index, now);
        return null;
    }

    private DropReason? ReceiveRtcp(Span<byte> datagram, TimeSpan now)
    {
        if (State != TransportState.Connected) return DropReason.NotConnected;
        Debug.Assert(ingress is not null, "connected has keys");

        var result = ingress.TryUnprotectRtcp(datagram, datagram, out var length);
        if (result != SrtpResult.Ok) return RtcpRefusal(result);

        DropReason? ignored = null;
        var reader = new RtcpReader(datagram[..length]);
        while (reader.MoveNext())
        {
            switch (reader.Current.Type)
            {
                case RtcpType.SenderReport or RtcpType.ReceiverReport:
                    HearReport(reader.Current, now);
                    break;
                case RtcpType.SourceDescription or RtcpType.Bye:
                    break; // signalling says who is here
                default:
                    ignored = DropReason.RtcpIgnored; // feedback and the like: nothing is resent or paced for audio
                    break;
            }
        }
        return reader.Malformed ? DropReason.RtcpMalformed : ignored;
    }

    private void HearReport(in RtcpPacket packet, TimeSpan now)
    {
        if (packet.TryGetSenderReport(out var sent))
        {
            foreach (var track in tracks)
            {
                if (track.SenderSsrc == sent.Ssrc) track.Reception.Report(sent, now);
            }
        }
        for (var i = 0; packet.TryGetReportBlock(i, out var block); i++)
        {
            if (streams.TryGetValue(block.Ssrc, out var stream)) stream.Heard(block, now);
        }
    }

    /// <summary>The handshake is done: media can flow.</summary>
    internal void Connect(DtlsKeys keys)
    {
        Debug.Assert(State == TransportState.Reachable, "a handshake starts from a validated address, and once");
        var material = new SrtpKeyingMaterial((SrtpProfile)keys.Profile, keys.KeyingMaterial);
        ingress = new(material.CreateClientContext()); // the client is the DTLS client
        Egress = material.CreateServerContext();
        State = TransportState.Connected;
    }

    internal void SendDtls(DtlsSession? session, byte[] datagram, Destination origin)
    {
        // Nominated or not: the handshake may run before the client has decided.
        if (session == dtls && State != TransportState.Closed) worker.Send(datagram, Selected ?? origin);
    }

    internal bool Runs(DtlsSession? session) => State != TransportState.Closed && session == dtls;

    /// <summary>False when the client's consent ran out.</summary>
    internal bool KeepsConsent(TimeSpan now)
    {
        if (State is TransportState.New or TransportState.Closed) return true;
        expired.Clear();
        var keeps = ice.KeepsConsent(now, expired);
        foreach (var address in expired) worker.Release(address.Destination.Remote, this);
        return keeps;
    }

    /// <summary>Ends it: keys, addresses and the handshake go, what signalling put stays until it is dropped.</summary>
    internal void Close()
    {
        State = TransportState.Closed;
        dtls?.Abort();
        foreach (var address in ice.Addresses) worker.Release(address.Destination.Remote, this);
        Egress?.Dispose();
        ingress?.Dispose();
        (Egress, ingress) = (null, null);
    }

    void IDisposable.Dispose() => Close();

    internal void Add(Track track) => tracks.Add(track);

    internal void Remove(Track track) => tracks.Remove(track);

    /// <summary>Where this SSRC was sent before, its stream starts after the last index used (RFC 3711 section 9.1).</summary>
    internal EgressStream AddStream(uint ssrc, uint clockRate, ulong start)
    {
        var stream = new EgressStream(ssrc, clockRate, used.GetValueOrDefault(ssrc, start));
        streams.Add(ssrc, stream);
        return stream;
    }

    /// <summary>Of a stream that was sent the index stays, as long as the key lives.</summary>
    internal void Remove(EgressStream stream)
    {
        streams.Remove(stream.Ssrc);
        if (stream.Packets > 0) used[stream.Ssrc] = stream.Index.Next;
    }

    /// <summary>Sends a compound RTCP packet. One index for all our SSRCs here: never used twice with any (RFC 3711 section 3.4).</summary>
    internal void SendRtcp(ReadOnlySpan<byte> compound, Span<byte> scratch)
    {
        if (Egress is null || Selected is null || rtcpIndex >= SrtpContext.RtcpIndexLimit) return;
        var length = Egress.ProtectRtcp(compound, rtcpIndex++, scratch);
        worker.Send(scratch[..length], Selected);
    }

    private Track? TrackOf(in RtpPacket packet)
    {
        var ssrc = packet.Ssrc;
        foreach (var track in tracks)
        {
            if (track.SenderSsrc == ssrc) return track;
        }
        if (packet.PayloadType != OpusPayloadType) return null;
        foreach (var track in tracks)
        {
            if (track.SenderSsrc != 0 || track.Kind != TrackKind.Audio) continue;
            track.SetSource(ssrc);
            return track;
        }
        return null;
    }

    private DropReason? UnfitToForward(in RtpPacket packet, out ReadOnlySpan<byte> payload)
    {
        if (!packet.TryGetUnpadded(out payload)) return DropReason.RtpPadding;
        if (packet.PayloadType != OpusPayloadType) return DropReason.UnknownPayloadType;
        return payload.IsEmpty ? DropReason.EmptyPayload : null;
    }

    /// <summary>RFC 6464 section 3: one byte, voice activity and level.</summary>
    private byte? LevelOf(in RtpPacket packet) =>
        AudioLevelExtension != 0
        && RtpExtensions.TryGet(packet.ExtensionProfile, packet.Extensions, AudioLevelExtension, out var level)
        && level.Length >= 1 ? level[0] : null;

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
