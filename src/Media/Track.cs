using Voice.Media.Rtcp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;

namespace Voice.Media;

/// <summary>One incoming stream, and who gets it.</summary>
public sealed class Track(uint ssrc, Transport sender, TrackKind kind, uint clockRate, uint senderSsrc)
{
    private Timeline timeline = new(clockRate);

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
            timeline = new(ClockRate);
            foreach (var subscription in Subscriptions) subscription.Stream.Rebase();
        }
        SenderSsrc = senderSsrc;
    }

    /// <summary>The packet's timestamp on a clock that does not stop in pauses.</summary>
    /// <param name="resumes">The packet is the first after a pause.</param>
    internal uint Normalise(ulong index, uint timestamp, TimeSpan now, out bool resumes)
    {
        resumes = false;
        return Sender.ClockPauses ? timeline.Normalise(index, timestamp, now, out resumes) : timestamp;
    }

    /// <summary>What the sender says of its clock.</summary>
    internal void Report(in SenderReport sent, TimeSpan now) =>
        Reception.Report(sent with { RtpTimestamp = timeline.Normalise(sent.RtpTimestamp) }, now);
}
