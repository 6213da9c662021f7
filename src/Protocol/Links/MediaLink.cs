using MessagePack;
using Voice.Protocol.DiscordUdp;

namespace Voice.Protocol.Links;

// The media link: signalling (the node) tells the media process what to forward, over an inherited Unix socket.
// Signalling owns every number here. A snapshot says all of it; deltas change it, in order, each with the next
// revision; every change is idempotent. Put makes, or changes what may change: a subscription's gates, a group's number, and
// of a track the sender's SSRC and whether it is heard first. A put that would change anything else is refused, with a count and a line. Drop = gone, absent is fine.

public static class MediaLink
{
    /// <summary>Bytes, either way: a snapshot of some ten thousand subscriptions fits many times.</summary>
    public const int MaxFrame = 16 * 1024 * 1024;

    /// <summary>Memory for the checkpoints of one worker (docs/decisions/0009). Only what was written to exists: 64 bytes for each transport, track,
    /// subscription and SSRC that was heard.</summary>
    public const long CheckpointBytes = 64 * 1024 * 1024;
}

/// <summary>Node to media process.</summary>
[Union(0, typeof(MediaSnapshot))]
[Union(1, typeof(MediaDelta))]
[Union(2, typeof(MediaStop))]
[Union(3, typeof(MediaFollow))]
[Union(4, typeof(MediaStart))]
public abstract record MediaCommand;

/// <summary>The whole desired state: whatever is not put here is dropped.</summary>
/// <param name="DtlsCertificate">X.509, DER, P-256: its SHA-256 is the fingerprint that session descriptions carry.</param>
/// <param name="DtlsPrivateKey">PKCS#8, DER.</param>
/// <param name="IsDraft">Another process serves still, the one of <see cref="MediaFollow"/>: take this, and the deltas that follow, say <see cref="MediaHeld"/>,
/// and serve when that process says, in the checkpoint memory, that it has stopped: that is sooner than the node could say it. Changes that it was told
/// last may come after that, until <see cref="MediaStart"/>.</param>
[MessagePackObject]
public sealed record MediaSnapshot(
    [property: Key(0)] long Revision,
    [property: Key(1)] byte[] DtlsCertificate,
    [property: Key(2)] byte[] DtlsPrivateKey,
    [property: Key(3)] MediaChange[] Changes,
    [property: Key(4)] bool IsDraft = false) : MediaCommand;

[MessagePackObject]
public sealed record MediaDelta([property: Key(0)] long Revision, [property: Key(1)] MediaChange[] Changes) : MediaCommand;

/// <summary>Another process takes over: read and send no more, leave exact checkpoints, and say <see cref="MediaStopped"/>.</summary>
[MessagePackObject]
public sealed record MediaStop : MediaCommand;

/// <summary>Before a draft: who serves now.</summary>
/// <param name="ProcessId">Its own word for itself (<see cref="MediaReady"/>).</param>
[MessagePackObject]
public sealed record MediaFollow([property: Key(0)] int ProcessId) : MediaCommand;

/// <summary>The process before has stopped, or is dead, and was told nothing that you were not: serve.</summary>
[MessagePackObject]
public sealed record MediaStart : MediaCommand;

[Union(0, typeof(PutTransport))]
[Union(1, typeof(DropTransport))]
[Union(2, typeof(PutTrack))]
[Union(3, typeof(DropTrack))]
[Union(4, typeof(PutSubscription))]
[Union(5, typeof(DropSubscription))]
[Union(6, typeof(PutGroup))]
[Union(7, typeof(DropGroup))]
public abstract record MediaChange;

/// <summary>One client's transport. Immutable once put: another needs another id.</summary>
/// <param name="Id">Never reused while the node lives.</param>
/// <param name="Worker">Index of the worker, and of the UDP port, that serves it for life.</param>
/// <param name="OpusPayloadType">The client's own number for Opus, both directions.</param>
/// <param name="AudioLevelExtension">The client's RFC 6464 extension id, 0 if it has none.</param>
/// <param name="Resumed">An earlier process served it: this one goes on where that stopped, by the checkpoints that it left. Without those the transport
/// is closed as <see cref="TransportCloseReason.NotResumed"/>, since its keys must not be used again. Only in a process's first snapshot.</param>
[MessagePackObject]
public sealed record PutTransport(
    [property: Key(0)] uint Id,
    [property: Key(1)] int Worker,
    [property: Key(2)] byte OpusPayloadType,
    [property: Key(3)] byte AudioLevelExtension,
    [property: Key(4)] MediaPath Path,
    [property: Key(5)] ResumedMedia? Resumed = null) : MediaChange;

/// <summary>What an earlier media process said of a transport that it served (<see cref="TransportConnected"/>). Of a UDP client, whose key signalling
/// has made: nothing.</summary>
/// <param name="Profile">0 of a UDP client.</param>
[MessagePackObject]
public sealed record ResumedMedia(
    [property: Key(0)] ushort Profile,
    [property: Key(1)] byte[] KeyingMaterial,
    [property: Key(2)] byte[] RemoteAddress)
{
    /// <summary>Without the keys.</summary>
    public override string ToString() => $"{nameof(ResumedMedia)} {{ {Profile} }}";
}

/// <summary>How a client's packets come and go.</summary>
[Union(0, typeof(WebRtcPath))]
[Union(1, typeof(UdpPath))]
public abstract record MediaPath;

/// <summary>ICE-lite, DTLS server, SRTP.</summary>
/// <param name="LocalUfrag">Ours, unique per worker; the demux key of a binding request (RFC 8445 section 7.3).</param>
/// <param name="RemoteFingerprint">SHA-256 of the client's certificate, 32 bytes, as signalled.</param>
/// <param name="Profiles">SRTP protection profiles offered in the handshake, best first (RFC 5764 section 4.1.2 values).</param>
[MessagePackObject]
public sealed record WebRtcPath(
    [property: Key(0)] string LocalUfrag,
    [property: Key(1)] string LocalPassword,
    [property: Key(2)] string RemoteUfrag,
    [property: Key(3)] byte[] RemoteFingerprint,
    [property: Key(4)] ushort[] Profiles) : MediaPath
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"{nameof(WebRtcPath)} {{ {LocalUfrag}, {RemoteUfrag} }}";
}

/// <summary>Discord's UDP protocol (protocol/udp-media.md).</summary>
/// <param name="SecretKey">32 bytes, both directions.</param>
/// <param name="Ssrc">That the client's packets carry: its Ready's. No other transport of the worker has it: an earlier one of the same
/// client is dropped first.</param>
/// <param name="Expected">Where the client said that it is, 16 bytes of IPv6 (IPv4 mapped) and 2 of port, big endian. Signalling
/// names it only if the client's WebSocket comes from the same address; media goes there until an authenticated packet
/// says better. Empty: nothing is sent before one.</param>
[MessagePackObject]
public sealed record UdpPath(
    [property: Key(0)] EncryptionMode Mode,
    [property: Key(1)] byte[] SecretKey,
    [property: Key(2)] uint Ssrc,
    [property: Key(3)] byte[] Expected) : MediaPath;

[MessagePackObject]
public sealed record DropTransport([property: Key(0)] uint Id) : MediaChange;

public enum TrackKind : byte
{
    Audio = 0,
    Video = 1,
}

/// <summary>One incoming stream. Our <paramref name="Ssrc"/> names it everywhere.</summary>
/// <param name="ClockRate">Hz of its RTP timestamps.</param>
/// <param name="SenderSsrc">The sender's own. 0: the first authenticated Opus packet under an SSRC that no other track has decides
/// it, for the track's life; a later put that gives one replaces it.</param>
/// <param name="Group">In which it competes to be heard, put before; 0: it is always heard.</param>
/// <param name="First">It does not compete: it is heard besides the group's loudest.</param>
[MessagePackObject]
public sealed record PutTrack(
    [property: Key(0)] uint Ssrc,
    [property: Key(1)] uint Transport,
    [property: Key(2)] TrackKind Kind,
    [property: Key(3)] uint ClockRate,
    [property: Key(4)] uint SenderSsrc,
    [property: Key(5)] uint Group = 0,
    [property: Key(6)] bool First = false) : MediaChange;

[MessagePackObject]
public sealed record DropTrack([property: Key(0)] uint Ssrc) : MediaChange;

/// <summary>Tracks of which only the loudest are heard at a time (docs/decisions/0008). Who is subscribed to one of them should be to all, but for
/// its own: each worker chooses among those that it has listeners of.</summary>
/// <param name="Id">Not 0.</param>
/// <param name="Loudest">How many, from 1.</param>
[MessagePackObject]
public sealed record PutGroup([property: Key(0)] uint Id, [property: Key(1)] int Loudest) : MediaChange;

/// <summary>After its tracks.</summary>
[MessagePackObject]
public sealed record DropGroup([property: Key(0)] uint Id) : MediaChange;

/// <summary>Why a subscription does not forward; it forwards when no bit is set.</summary>
[Flags]
public enum Gates : uint
{
    None = 0,
    TalkerSelfMuted = 1 << 0,
    TalkerMuted = 1 << 1,
    ListenerSelfDeafened = 1 << 2,
    ListenerDeafened = 1 << 3,
}

/// <summary>One track to one listener. Putting it again changes the gates and keeps the egress index.</summary>
/// <param name="Track">The track's SSRC.</param>
/// <param name="Listener">The listener's transport id.</param>
/// <param name="Ssrc">The SSRC the listener sees; unique among the listener's subscriptions.</param>
[MessagePackObject]
public sealed record PutSubscription(
    [property: Key(0)] uint Track,
    [property: Key(1)] uint Listener,
    [property: Key(2)] uint Ssrc,
    [property: Key(3)] Gates Gates) : MediaChange;

[MessagePackObject]
public sealed record DropSubscription([property: Key(0)] uint Track, [property: Key(1)] uint Listener) : MediaChange;

/// <summary>Media process to node.</summary>
[Union(0, typeof(MediaReady))]
[Union(1, typeof(TransportConnected))]
[Union(2, typeof(TransportClosed))]
[Union(3, typeof(MediaReport))]
[Union(4, typeof(TransportReady))]
[Union(5, typeof(MediaWarm))]
[Union(6, typeof(MediaStopped))]
[Union(7, typeof(MediaHeld))]
public abstract record MediaEvent;

/// <summary>First message: the process waits for its snapshot, and reads its sockets from then on. The node sends it when no other process serves.</summary>
/// <param name="CanResume">What the checkpoint memory holds is of the layout that this build knows. Else every client needs other keys.</param>
/// <param name="HasDraft">The node's own note, when the process begins to serve: it was told everything before, and needs no snapshot.</param>
[MessagePackObject]
public sealed record MediaReady(
    [property: Key(0)] int ProcessId,
    [property: Key(1)] int Workers,
    [property: Key(2)] bool CanResume = true,
    [property: Key(3)] bool HasDraft = false) : MediaEvent;

/// <summary>While it waited for its snapshot, the process has done everything once that it will have to do: it can take over without a pause.</summary>
[MessagePackObject]
public sealed record MediaWarm : MediaEvent;

/// <summary>Answer to a draft: nothing is missing but the word.</summary>
[MessagePackObject]
public sealed record MediaHeld : MediaEvent;

/// <summary>Answer to <see cref="MediaStop"/>: the sockets and the keys are another process's now.</summary>
[MessagePackObject]
public sealed record MediaStopped : MediaEvent;

/// <summary>The DTLS handshake is done and media can flow. What a later process needs to carry on without the client
/// noticing (design.md section 3.8): the SRTP keys and the validated address.</summary>
/// <param name="KeyingMaterial">RFC 5764 section 4.2 exporter output: client key, server key, client salt, server salt.</param>
/// <param name="RemoteAddress">16 bytes of IPv6 (IPv4 mapped) and 2 of port, big endian.</param>
[MessagePackObject]
public sealed record TransportConnected(
    [property: Key(0)] uint Id,
    [property: Key(1)] ushort Profile,
    [property: Key(2)] byte[] KeyingMaterial,
    [property: Key(3)] byte[] RemoteAddress) : MediaEvent;

/// <summary>A UDP transport was put: packets under its key are taken from now on. Its client is told the key only then, or it would send
/// first packets that nobody knows.</summary>
[MessagePackObject]
public sealed record TransportReady([property: Key(0)] uint Id) : MediaEvent;

public enum TransportCloseReason : byte
{
    HandshakeFailed = 0,
    FingerprintMismatch = 1,
    ConsentExpired = 2,
    PeerClosed = 3,

    /// <summary>A UDP client's key has protected all that it may: the session needs another.</summary>
    KeyExhausted = 4,

    /// <summary>An earlier process served it, and what that one left does not tell how far it went: the session needs other keys.</summary>
    NotResumed = 5,
}

[MessagePackObject]
public sealed record TransportClosed([property: Key(0)] uint Id, [property: Key(1)] TransportCloseReason Reason) : MediaEvent;

/// <summary>Once a second. Counters count since the process started.</summary>
/// <param name="Revision">The last snapshot or delta taken; its changes may still wait for their worker.</param>
/// <param name="CpuSeconds">Of every thread of the process.</param>
/// <param name="Drops">By <c>DropReason</c> name, of all workers.</param>
/// <param name="DiscoveriesAnswered">IP discoveries of Discord's UDP protocol, anybody's.</param>
[MessagePackObject]
public sealed record MediaReport(
    [property: Key(0)] long Revision,
    [property: Key(1)] double CpuSeconds,
    [property: Key(2)] Dictionary<string, long> Drops,
    [property: Key(3)] long DiscoveriesAnswered,
    [property: Key(4)] WorkerReport[] Workers,
    [property: Key(5)] MemoryReport Memory) : MediaEvent
{
    [IgnoreMember]
    public long PacketsReceived => Workers.Sum(worker => worker.PacketsReceived);

    [IgnoreMember]
    public long PacketsForwarded => Workers.Sum(worker => worker.PacketsForwarded);

    [IgnoreMember]
    public long BytesForwarded => Workers.Sum(worker => worker.BytesForwarded);
}

/// <summary>One worker's counters since it started.</summary>
/// <param name="BusySeconds">Of its thread, in and out of the kernel.</param>
/// <param name="AddedDelay">Forwarded packets by microseconds from the kernel's receive timestamp to the return of the send, in buckets of
/// <see cref="LogLinear"/>. Empty where the kernel gives no timestamps.</param>
/// <param name="Batches">Wake-ups with packets by how many there were, in buckets of <see cref="LogLinear"/>.</param>
/// <param name="AllocatedBytes">By its thread.</param>
[MessagePackObject]
public sealed record WorkerReport(
    [property: Key(0)] long PacketsReceived,
    [property: Key(1)] long PacketsForwarded,
    [property: Key(2)] long BytesReceived,
    [property: Key(3)] long BytesForwarded,
    [property: Key(4)] double BusySeconds,
    [property: Key(5)] long[] AddedDelay,
    [property: Key(6)] long[] Batches,
    [property: Key(7)] long AllocatedBytes);

/// <summary>The runtime's own account since the process started.</summary>
/// <param name="AllocatedBytes">By all threads.</param>
/// <param name="LongestPauseMillis">An upper bound: the most that was paused in any second, all collections in it together.</param>
/// <param name="PausedMillis">By all collections.</param>
[MessagePackObject]
public sealed record MemoryReport(
    [property: Key(0)] long AllocatedBytes,
    [property: Key(1)] int Gen0,
    [property: Key(2)] int Gen1,
    [property: Key(3)] int Gen2,
    [property: Key(4)] double LongestPauseMillis,
    [property: Key(5)] double PausedMillis);
