using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>What to change of a channel, so that changes made at the same time both last. Null: as it was.</summary>
[GenerateSerializer, Immutable]
public sealed record ChannelChange(string? Name = null, int? Position = null, int? Bitrate = null, int? UserLimit = null, RegionChange? RtcRegion = null)
{
    public Channel ApplyTo(Channel channel) => channel with
    {
        Name = Name ?? channel.Name,
        Position = Position ?? channel.Position,
        Bitrate = Bitrate ?? channel.Bitrate,
        UserLimit = UserLimit ?? channel.UserLimit,
        RtcRegion = RtcRegion is { } region ? region.To : channel.RtcRegion,
    };
}

/// <param name="To">Null: automatic.</param>
[GenerateSerializer, Immutable]
public sealed record RegionChange(string? To);
