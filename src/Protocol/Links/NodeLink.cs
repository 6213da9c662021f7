using MessagePack;

namespace Voice.Protocol.Links;

// The node link: a voice node dials each gateway's link port, TLS, then both prove the cluster secret, then the node
// reports and the gateway pushes voice states. Tokens, sessions and epochs: design.md section 3.9.

/// <summary>What both ends of the node link must agree on before either knows the other.</summary>
public static class NodeLinkHandshake
{
    /// <summary>Of the messages below; a hello of another version is refused.</summary>
    public const int Version = 3;

    /// <summary>Largest frame until the other end is proved, in bytes: the hellos and proofs are small.</summary>
    public const int MaxFrame = 4 * 1024;
}

/// <summary>Node to gateway.</summary>
[Union(0, typeof(NodeHello))]
[Union(1, typeof(NodeProof))]
[Union(2, typeof(NodeReport))]
[Union(3, typeof(NodePong))]
[Union(4, typeof(GuildAck))]
[Union(5, typeof(VoiceSessionChanged))]
[Union(6, typeof(ProbeOpened))]
public abstract record NodeMessage;

/// <summary>Gateway to node.</summary>
[Union(0, typeof(GatewayChallenge))]
[Union(1, typeof(GatewayProof))]
[Union(2, typeof(NodePing))]
[Union(3, typeof(GuildUpdate))]
[Union(4, typeof(GuildDrop))]
[Union(5, typeof(ProbeOpen))]
[Union(6, typeof(ProbeClose))]
public abstract record GatewayLinkMessage;

/// <summary>First message on the link, sent by the node.</summary>
/// <param name="NodeId">Stable name of the node, 1 to 64 characters of [a-z0-9-].</param>
/// <param name="Incarnation">Differs at each start of the node.</param>
/// <param name="Endpoint">host:port of the voice WebSocket, as clients are told.</param>
/// <param name="Nonce">32 random bytes that the gateway's proof covers.</param>
/// <param name="Echo">address:port of a media socket, for clients who measure how far it is; "": none.</param>
[MessagePackObject]
public sealed record NodeHello(
    [property: Key(0)] int Version,
    [property: Key(1)] string NodeId,
    [property: Key(2)] string Incarnation,
    [property: Key(3)] string Region,
    [property: Key(4)] string Endpoint,
    [property: Key(5)] byte[] Nonce,
    [property: Key(6)] string Echo = "") : NodeMessage;

/// <summary>The gateway's answer: its nonce, and proof that it knows the secret.</summary>
[MessagePackObject]
public sealed record GatewayChallenge([property: Key(0)] byte[] Nonce, [property: Key(1)] byte[] Proof) : GatewayLinkMessage;

/// <summary>The node's proof; after it the gateway answers <see cref="GatewayProof"/> and the link is up.</summary>
[MessagePackObject]
public sealed record NodeProof([property: Key(0)] byte[] Proof) : NodeMessage;

/// <summary>Accepted: the link is up.</summary>
[MessagePackObject]
public sealed record GatewayProof([property: Key(0)] string GatewayId) : GatewayLinkMessage;

/// <summary>Load, every second. Utilisation is the largest of its shares, 0 to 1.</summary>
[MessagePackObject]
public sealed record NodeReport(
    [property: Key(0)] double CpuShare,
    [property: Key(1)] double EgressShare,
    [property: Key(2)] double ConnectionShare,
    [property: Key(3)] int Sessions,
    [property: Key(4)] int Guilds,
    [property: Key(5)] bool MediaReady,
    [property: Key(6)] HostedGuild[] Hosted,
    [property: Key(7)] NodeDrain Drain = NodeDrain.None) : NodeMessage;

/// <summary>Why a node asks to be given no more guilds and to have its own moved away.</summary>
public enum NodeDrain
{
    None,

    /// <summary>It is about to exit.</summary>
    Stopping,

    /// <summary>Its media process dies again and again.</summary>
    CrashLoop,

    /// <summary>More unauthenticated traffic arrives than it stands.</summary>
    Flooded,
}

/// <summary>What a node holds, so that a gateway that lost its memory can adopt it.</summary>
/// <param name="Sessions">Voice sessions of the guild on this node.</param>
[MessagePackObject]
public sealed record HostedGuild(
    [property: Key(0)] ulong Guild, [property: Key(1)] string Slot, [property: Key(2)] long Epoch, [property: Key(3)] int Sessions = 0);

[MessagePackObject]
public sealed record NodePing([property: Key(0)] long Number) : GatewayLinkMessage;

[MessagePackObject]
public sealed record NodePong([property: Key(0)] long Number) : NodeMessage;

/// <summary>One member of a guild's voice, as the node must know it before the client comes.</summary>
/// <param name="PrioritySpeaker">May ask to be heard whoever else talks.</param>
[MessagePackObject]
public sealed record VoiceMember(
    [property: Key(0)] ulong User,
    [property: Key(1)] ulong Channel,
    [property: Key(2)] string SessionId,
    [property: Key(3)] bool SelfMute,
    [property: Key(4)] bool SelfDeaf,
    [property: Key(5)] bool Mute,
    [property: Key(6)] bool Deaf,
    [property: Key(7)] bool Suppress,
    [property: Key(8)] bool PrioritySpeaker = false);

/// <summary>Voice states of a guild, whole or changed. A lower epoch than the node knows is refused; a higher one
/// replaces what it has. A delta follows the revision before it, or is refused and a whole one is asked for.</summary>
/// <param name="Slot">Which of the guild's assignments: "" for the guild's own region, else the region a channel overrides with.</param>
/// <param name="Whole">True: members not put here are gone.</param>
[MessagePackObject]
public sealed record GuildUpdate(
    [property: Key(0)] ulong Guild,
    [property: Key(1)] string Slot,
    [property: Key(2)] long Epoch,
    [property: Key(3)] long Revision,
    [property: Key(4)] bool Whole,
    [property: Key(5)] VoiceMember[] Put,
    [property: Key(6)] ulong[] Removed) : GatewayLinkMessage;

/// <summary>Answer to a <see cref="GuildUpdate"/>; <paramref name="NeedWhole"/> asks for a whole one instead.</summary>
/// <param name="Connected">To a whole update: the users who have a voice session, one that can be resumed included; the gateway may have
/// lost its memory.</param>
[MessagePackObject]
public sealed record GuildAck(
    [property: Key(0)] ulong Guild,
    [property: Key(1)] string Slot,
    [property: Key(2)] long Epoch,
    [property: Key(3)] long Revision,
    [property: Key(4)] bool NeedWhole,
    [property: Key(5)] ulong[]? Connected = null) : NodeMessage;

/// <summary>The assignment ended: the node forgets the guild and closes its sessions.</summary>
/// <param name="Terminated">The call was ended for everybody (4022). Else clients wait for what the
/// gateway tells them, a new server or that they left (4014).</param>
/// <param name="OverlapMillis">The guild has moved, and its clients were told: the node serves those who are on their way for so
/// long, and then ends it by itself. 0: it ends now.</param>
[MessagePackObject]
public sealed record GuildDrop(
    [property: Key(0)] ulong Guild,
    [property: Key(1)] string Slot,
    [property: Key(2)] long Epoch,
    [property: Key(3)] bool Terminated = false,
    [property: Key(4)] int OverlapMillis = 0) : GatewayLinkMessage;

public enum VoiceSessionState
{
    /// <summary>Has a WebSocket, its first or a resumed one.</summary>
    Connected,

    /// <summary>Lost its WebSocket. It can be resumed, and media flows on meanwhile.</summary>
    Severed,

    /// <summary>Is over.</summary>
    Ended,
}

/// <summary>What became of a voice session; lets op 4 know whether a fresh server update is due.</summary>
[MessagePackObject]
public sealed record VoiceSessionChanged(
    [property: Key(0)] ulong Guild,
    [property: Key(1)] string Slot,
    [property: Key(2)] long Epoch,
    [property: Key(3)] ulong User,
    [property: Key(4)] string SessionId,
    [property: Key(5)] VoiceSessionState State) : NodeMessage;

/// <summary>Asks for a hidden channel through the node's media process, by which the gateway sees whether media is forwarded. Asked again
/// it is the same channel, and kept: one that is not asked for over <see cref="Lease"/> is dropped, so that it outlives a link that breaks for a
/// moment, and a gateway that is gone leaves none.</summary>
/// <param name="Id">Random, of one channel of one gateway.</param>
[MessagePackObject]
public sealed record ProbeOpen([property: Key(0)] string Id) : GatewayLinkMessage
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
}

/// <summary>The channel is not needed any more.</summary>
[MessagePackObject]
public sealed record ProbeClose([property: Key(0)] string Id) : GatewayLinkMessage;

/// <summary>Answer to <see cref="ProbeOpen"/>, each time: what the channel is. Also sent unasked, when it is another.</summary>
/// <param name="Workers">Each media worker's part, in their order.</param>
[MessagePackObject]
public sealed record ProbeOpened([property: Key(0)] string Id, [property: Key(1)] ProbeChannel[] Workers) : NodeMessage;

/// <summary>A talker and a listener on one media worker, both of Discord's UDP protocol with AES-256-GCM. What the talker sends comes to
/// the listener under the talker's SSRC.</summary>
/// <param name="Addresses">Where clients reach the worker, best first: 16 bytes of IPv6 (IPv4 mapped) and 2 of port, big endian.</param>
[MessagePackObject]
public sealed record ProbeChannel(
    [property: Key(0)] byte[][] Addresses, [property: Key(1)] ProbeEnd Talker, [property: Key(2)] ProbeEnd Listener);

/// <param name="Ssrc">That it sends under, 120 its payload type.</param>
/// <param name="SecretKey">32 bytes, both directions.</param>
[MessagePackObject]
public sealed record ProbeEnd([property: Key(0)] uint Ssrc, [property: Key(1)] byte[] SecretKey);
