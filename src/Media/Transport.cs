using System.Diagnostics;
using Voice.Media.Checkpoints;
using Voice.Media.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;

namespace Voice.Media;

public enum TransportState
{
    /// <summary>Waits for an authenticated check.</summary>
    New,

    /// <summary>Has a validated address; waits for the client's DTLS, or is in the handshake.</summary>
    Reachable,

    /// <summary>Has keys: media flows.</summary>
    Connected,

    /// <summary>Ended; waits to be dropped.</summary>
    Closed,
}

/// <summary>One client's path to us, the tracks it sends and the streams it gets. How packets are demultiplexed, authenticated and
/// encrypted is <see cref="WebRtcTransport"/>'s and <see cref="UdpTransport"/>'s; what they mean is here. It knows no channel and no
/// other client. The worker's thread only.</summary>
public abstract class Transport
{
    /// <summary>The most that protection adds to a packet.</summary>
    internal const int MaxOverhead = UdpProtection.MaxOverhead;

    private readonly List<Track> tracks = [];
    private readonly Dictionary<uint, EgressStream> streams = [];
    private readonly Dictionary<uint, EgressStream> used = [];

    // Of an earlier process, until the snapshot has been put.
    private Dictionary<uint, EgressStream>? resumed;
    private Dictionary<uint, Checkpoint>? leftTracks;

    private protected Transport(Worker worker, PutTransport put, Checkpoint checkpoint)
    {
        (Worker, Put, Checkpoint) = (worker, put, checkpoint);
        (OpusPayloadType, AudioLevelExtension) = (put.OpusPayloadType, put.AudioLevelExtension);
    }

    public uint Id => Put.Id;

    public TransportState State { get; private protected set; }

    /// <summary>Where we send; null as long as nobody may be sent to.</summary>
    public abstract Destination? Selected { get; }

    public byte OpusPayloadType { get; }

    public byte AudioLevelExtension { get; }

    public IReadOnlyList<Track> Tracks => tracks;

    /// <summary>What it is subscribed to, by the SSRC that it sees.</summary>
    public IReadOnlyDictionary<uint, EgressStream> Streams => streams;

    /// <summary>SSRCs that are no longer sent and whose stream is kept.</summary>
    internal int UsedSsrcs => used.Count;

    internal PutTransport Put { get; }

    /// <summary>Our own SSRC, of receiver reports.</summary>
    internal abstract uint ReporterSsrc { get; set; }

    internal TimeSpan NextReport { get; set; }

    internal List<Subscription> Subscriptions { get; } = [];

    /// <summary>Whether the client's RTP timestamps stand still while it is silent.</summary>
    internal virtual bool ClockPauses => false;

    private protected Worker Worker { get; }

    /// <summary>Its own, besides those of its streams.</summary>
    private protected Checkpoint Checkpoint { get; }

    /// <summary>For a packet to this client soon.</summary>
    /// <inheritdoc cref="Protocol.Crypto.AesGcmCipher.Preload"/>
    internal int PreloadEgress() => PreloadKey(ingress: false) + (Selected?.LastQueued ?? 0) + OpusPayloadType;

    /// <summary>For a packet of this client soon.</summary>
    /// <inheritdoc cref="Protocol.Crypto.AesGcmCipher.Preload"/>
    internal int PreloadIngress()
    {
        var read = PreloadKey(ingress: true);
        foreach (var track in tracks) read += (int)track.SenderSsrc + track.Fanout.Subscriptions.Count;
        return read;
    }

    private protected abstract int PreloadKey(bool ingress);

    /// <summary>Null if the datagram was used, else why not.</summary>
    /// <param name="datagram">Decrypted in place.</param>
    internal abstract DropReason? Receive(Span<byte> datagram, PacketKind kind, in RemoteEndPoint from, TimeSpan now);

    /// <summary>Encrypts a packet for this client, which is connected. Null if that was done, else why not.</summary>
    /// <param name="index">48 bits; the header's sequence is the lower 16.</param>
    /// <param name="datagram">Longer than header and payload by <see cref="MaxOverhead"/>.</param>
    internal abstract DropReason? Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong index, Span<byte> datagram, out int length);

    /// <summary>Sends a compound RTCP packet, if the client can be sent to.</summary>
    internal abstract void SendRtcp(ReadOnlySpan<byte> compound, Span<byte> scratch);

    /// <summary>Why it must be closed now, by itself; null as long as it may go on.</summary>
    internal abstract TransportCloseReason? Ending(TimeSpan now);

    /// <summary>Ends it: keys and addresses go, what signalling put stays until it is dropped.</summary>
    internal abstract void Close();

    internal void Add(Track track) => tracks.Add(track);

    internal void Remove(Track track) => tracks.Remove(track);

    /// <summary>Where this SSRC was sent before, its stream goes on: after the last index used (RFC 3711 section 9.1), and with
    /// timestamps in which the time between has passed. Null when there is no room for another checkpoint.</summary>
    /// <param name="start">Its first index, if it was never sent.</param>
    internal EgressStream? TryAddStream(uint ssrc, Fanout fanout, ulong start)
    {
        EgressStream? stream = null;
        var continues = resumed?.Remove(ssrc, out stream) == true;
        if (stream is null && !used.Remove(ssrc, out stream))
        {
            if (Worker.Checkpoints.TryAdd(CheckpointKind.Egress, Id, ssrc) is not { } checkpoint) return null;
            stream = new(ssrc, start, checkpoint);
        }
        stream.Follow(fanout.Talker, fanout.ClockRate, continues);
        streams.Add(ssrc, stream);
        return stream;
    }

    /// <summary>A stream that was sent is kept as long as the key lives.</summary>
    internal void Remove(EgressStream stream)
    {
        streams.Remove(stream.Ssrc);
        if (stream.Packets > 0) used.Add(stream.Ssrc, stream);
        else stream.Forget(Worker.Checkpoints);
    }

    /// <summary>The checkpoint of a track that is put: an earlier process's, or a new one. Null when there is no room.</summary>
    internal Checkpoint? TryAddTrack(uint ssrc) =>
        leftTracks?.Remove(ssrc, out var left) == true ? left : Worker.Checkpoints.TryAdd(CheckpointKind.Track, Id, ssrc);

    /// <summary>Goes on where an earlier process stopped, before anything else is put on it.</summary>
    /// <param name="left">Its checkpoints.</param>
    internal void Resume(IReadOnlyList<Checkpoint> left, TimeSpan now)
    {
        (resumed, leftTracks) = ([], []);
        foreach (var checkpoint in left)
        {
            if (checkpoint.Kind == CheckpointKind.Track) leftTracks[checkpoint.Ssrc] = checkpoint;
            if (checkpoint.Kind != CheckpointKind.Egress) continue;
            if (EgressStream.Resume(checkpoint) is { } stream) resumed[stream.Ssrc] = stream;
            else Worker.Checkpoints.Remove(checkpoint);
        }
        ResumePath(left, now);
    }

    /// <summary>The snapshot has been put: what of an earlier process's was not in it is over.</summary>
    internal void Settle()
    {
        foreach (var (ssrc, stream) in resumed ?? []) used.TryAdd(ssrc, stream);
        foreach (var (_, checkpoint) in leftTracks ?? []) Worker.Checkpoints.Remove(checkpoint);
        (resumed, leftTracks) = (null, null);
    }

    /// <summary>Nothing more is sent by this process: says exactly how far it went.</summary>
    internal void Retire()
    {
        foreach (var stream in streams.Values) stream.Retire();
        foreach (var stream in used.Values) stream.Retire();
        RetirePath();
    }

    /// <summary>It is dropped, and its keys with it: nobody goes on with any of it.</summary>
    internal void Forget()
    {
        Debug.Assert(streams.Count == 0 && tracks.Count == 0, "they were dropped first");
        Settle();
        foreach (var stream in used.Values) stream.Forget(Worker.Checkpoints);
        used.Clear();
        ForgetPath();
        Worker.Checkpoints.Remove(Checkpoint);
    }

    /// <inheritdoc cref="Resume"/>
    private protected abstract void ResumePath(IReadOnlyList<Checkpoint> left, TimeSpan now);

    /// <inheritdoc cref="Retire"/>
    private protected abstract void RetirePath();

    /// <inheritdoc cref="Forget"/>
    private protected virtual void ForgetPath()
    {
    }

    /// <summary>A packet of the client's, authenticated and decrypted.</summary>
    /// <param name="index">Its 48-bit index.</param>
    private protected DropReason? Hear(ReadOnlySpan<byte> plain, ulong index, TimeSpan now)
    {
        if (!RtpPacket.TryParse(plain, out var packet)) return DropReason.RtpMalformed;
        if (TrackOf(packet) is not { } track) return DropReason.UnknownSsrc;
        var timestamp = track.Normalise(index, packet.Timestamp, now, out var resumed);
        track.Reception.Packet(index, timestamp, now);

        if (UnfitToForward(packet, out var payload) is { } reason)
        {
            track.Skip(index);
            return reason;
        }
        if (!track.TryNumber(index, out var number)) return DropReason.EgressTooOld;
        Worker.Forwarder.Forward(track, new(number, timestamp, packet.Marker || resumed, LevelOf(packet), payload), now);
        return null;
    }

    /// <summary>A compound RTCP packet of the client's, authenticated and decrypted.</summary>
    private protected DropReason? HearRtcp(ReadOnlySpan<byte> plain, TimeSpan now)
    {
        DropReason? ignored = null;
        var reader = new RtcpReader(plain);
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
                if (track.SenderSsrc == sent.Ssrc) track.Report(sent, now);
            }
        }
        for (var i = 0; packet.TryGetReportBlock(i, out var block); i++)
        {
            if (streams.TryGetValue(block.Ssrc, out var stream)) stream.Heard(block, now);
        }
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
            if (track.SenderSsrc != 0 || track.Fanout.Kind != TrackKind.Audio) continue;
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
}
