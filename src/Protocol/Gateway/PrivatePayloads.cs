using System.Text.Json.Serialization;

namespace Voice.Protocol.Gateway;

// Private channels and the calls in them (protocol/gateway.md sections 1, 2 and 5).

/// <summary>A conversation of two people (type 1) or a few (type 3), outside of any guild.</summary>
/// <param name="Recipients">Everybody in it; as a client gets it, everybody else.</param>
public sealed record PrivateChannel(Snowflake Id, ChannelType Type, User[] Recipients)
{
    public string? Name { get; init; }

    public string? Icon { get; init; }

    /// <summary>Who made a group; null for two people.</summary>
    public Snowflake? OwnerId { get; init; }

    public Snowflake? LastMessageId { get; init; }

    public int Flags { get; init; }

    public PrivateChannel SeenBy(Snowflake user) => this with { Recipients = [.. Recipients.Where(one => one.Id != user)] };
}

/// <summary>CALL_CREATE, CALL_UPDATE and, with the id alone, CALL_DELETE; op 13 with the id alone.</summary>
public sealed record Call(Snowflake ChannelId)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Region { get; init; }

    /// <summary>Who is being called.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Snowflake[]? Ringing { get; init; }

    /// <summary>Only in CALL_CREATE.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public VoiceState[]? VoiceStates { get; init; }
}
