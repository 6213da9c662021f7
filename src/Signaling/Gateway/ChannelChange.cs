using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>What to change of a channel, so that changes made at the same time both last. Null: as it was.</summary>
/// <param name="Overwrite">Put in, instead of the one with its id if there is one.</param>
/// <param name="RemoveOverwrite">Id of the one to take out.</param>
[GenerateSerializer, Immutable]
public sealed record ChannelChange(
    string? Name = null,
    int? Position = null,
    int? Bitrate = null,
    int? UserLimit = null,
    RegionChange? RtcRegion = null,
    PermissionOverwrite? Overwrite = null,
    Snowflake? RemoveOverwrite = null)
{
    public Channel ApplyTo(Channel channel) => channel with
    {
        Name = Name ?? channel.Name,
        Position = Position ?? channel.Position,
        Bitrate = Bitrate ?? channel.Bitrate,
        UserLimit = UserLimit ?? channel.UserLimit,
        RtcRegion = RtcRegion is { } region ? region.To : channel.RtcRegion,
        PermissionOverwrites = ApplyTo(channel.PermissionOverwrites),
    };

    private PermissionOverwrite[] ApplyTo(PermissionOverwrite[] overwrites)
    {
        if ((RemoveOverwrite ?? Overwrite?.Id) is not { } id) return overwrites;
        return [.. overwrites.Where(one => one.Id != id), .. Overwrite is null ? Array.Empty<PermissionOverwrite>() : [Overwrite]];
    }
}

/// <param name="To">Null: automatic.</param>
[GenerateSerializer, Immutable]
public sealed record RegionChange(string? To);
