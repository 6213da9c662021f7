using Voice.Media.Rtcp;
using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>One incoming stream, and who gets it.</summary>
public sealed class Track(uint ssrc, Transport sender, TrackKind kind, uint clockRate, uint senderSsrc)
{
    /// <summary>Ours: names it on the media link.</summary>
    public uint Ssrc { get; } = ssrc;

    public Transport Sender { get; } = sender;

    public TrackKind Kind { get; } = kind;

    /// <summary>Hz.</summary>
    public uint ClockRate { get; } = clockRate;

    /// <summary>The sender's own; 0 until learned.</summary>
    public uint SenderSsrc { get; private set; } = senderSsrc;

    internal List<Subscription> Subscriptions { get; } = [];

    internal Reception Reception { get; private set; } = new(clockRate);

    /// <summary>The sender sends this track under another SSRC from now on, with a numbering of its own.</summary>
    internal void SetSource(uint senderSsrc)
    {
        if (senderSsrc == SenderSsrc) return;
        if (SenderSsrc != 0)
        {
            Reception = new(ClockRate);
            foreach (var subscription in Subscriptions) subscription.Stream.Rebase();
        }
        SenderSsrc = senderSsrc;
    }
}
