using Orleans.Concurrency;
using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>A guild, as the nodes that host it speak to it. Key: the guild id, as a long.</summary>
public interface IHostedGuild : IGrainWithIntegerKey
{
    [OneWay]
    Task Acknowledged(GuildAck ack);

    [OneWay]
    Task ConnectionChanged(VoiceSessionChanged change);
}

/// <summary>A guild of another chat gateway, which only asks for voice (the allocator API). Key: the guild id, as a long.</summary>
public interface IExternalGuild : IGrainWithIntegerKey
{
    /// <summary>Has the guild served, with these voice states. Idempotent.</summary>
    /// <param name="members">Everybody in voice; null: as before.</param>
    Task<ExternalCall> Hold(string? region, VoiceMember[]? members);

    /// <summary>False: nothing was held.</summary>
    Task<bool> LetGo();
}

/// <param name="Ours">The guild is one of this gateway's own: nobody else may hold it.</param>
/// <param name="Assignment">Null: no node yet; it is assigned when one arrives.</param>
/// <param name="Tokens">By voice session id, for the voice WebSocket's Identify.</param>
[GenerateSerializer, Immutable]
public sealed record ExternalCall(bool Ours, Assignment? Assignment, Dictionary<string, string> Tokens);
