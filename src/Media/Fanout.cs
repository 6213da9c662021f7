using Voice.Media.Rtcp;
using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>A track's listeners on one worker. Each track has one at home, and one more as its shadow on each further worker that has
/// listeners of it, where its packets come from a ring.</summary>
public sealed class Fanout(uint ssrc, TrackKind kind, uint clockRate)
{
    /// <summary>Of the packets given to this worker.</summary>
    internal SourceClock Clock = new(clockRate);

    /// <summary>The track's.</summary>
    public uint Ssrc { get; } = ssrc;

    public TrackKind Kind { get; } = kind;

    /// <summary>Hz.</summary>
    public uint ClockRate { get; } = clockRate;

    internal List<Subscription> Subscriptions { get; } = [];
}
