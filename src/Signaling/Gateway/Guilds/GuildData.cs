using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What is stored of a guild.</summary>
public sealed class GuildData
{
    public required Snowflake Id { get; init; }

    public required string Name { get; set; }

    public required Snowflake OwnerId { get; set; }

    /// <summary>No guild, but a private channel with the same id: its recipients are the members, and the only channel is itself.</summary>
    public bool Private { get; init; }

    /// <summary>Region of channels without one of their own; null is any.</summary>
    public string? Region { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The one whose id is the guild's is everybody's.</summary>
    public List<Role> Roles { get; init; } = [];

    public List<Channel> Channels { get; init; } = [];

    public Dictionary<Snowflake, Member> Members { get; init; } = [];

    public Channel? Channel(Snowflake id) => Channels.Find(channel => channel.Id == id);

    /// <summary>Which of the guild's assignments serves a channel: "" unless the channel wants another region than the guild.</summary>
    public string SlotOf(Channel channel) => channel.RtcRegion is { } region && region != Region ? region : "";

    /// <summary>As GUILD_CREATE carries it.</summary>
    public Guild ToPayload(IEnumerable<VoiceState> voiceStates) => new(Id, Name, OwnerId)
    {
        Region = Region,
        Roles = [.. Roles],
        Channels = [.. Channels],
        Members = [.. Members.Values],
        MemberCount = Members.Count,
        VoiceStates = [.. voiceStates],
        JoinedAt = CreatedAt,
    };
}
