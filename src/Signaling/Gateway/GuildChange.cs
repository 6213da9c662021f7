namespace Voice.Signaling.Gateway;

/// <summary>What to change of a guild. Null: as it was.</summary>
[GenerateSerializer, Immutable]
public sealed record GuildChange(string? Name = null, RegionChange? Region = null);
