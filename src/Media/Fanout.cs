using Voice.Media.Loudest;
using Voice.Media.Rtcp;
using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>A track's listeners on one worker. Each track has one at home, and one more as its shadow on each further worker that has
/// listeners of it, where its packets come from a ring.</summary>
/// <param name="talker">The transport that the track is of.</param>
public sealed class Fanout(uint ssrc, TrackKind kind, uint clockRate, uint talker)
{
    /// <summary>Of the packets given to this worker.</summary>
    internal SourceClock Clock = new(clockRate);

    private readonly Speaker speaker = new();
    private LoudestSpeakers? group;
    private TrackIndex numbers;
    private bool passing;
    private int open;

    /// <summary>The track's.</summary>
    public uint Ssrc { get; } = ssrc;

    public TrackKind Kind { get; } = kind;

    /// <summary>Hz.</summary>
    public uint ClockRate { get; } = clockRate;

    internal uint Talker { get; } = talker;

    internal List<Subscription> Subscriptions { get; } = [];

    /// <summary>In which the talker competes to be heard here; null: it is always heard.</summary>
    /// <param name="first">Whether it is heard whoever else talks.</param>
    internal void Join(LoudestSpeakers? loudest, bool first)
    {
        if (loudest != group) Leave();
        (group, speaker.First) = (loudest, first);
    }

    /// <summary>Competes no longer.</summary>
    internal void Leave() => group?.Remove(speaker);

    internal void Add(Subscription subscription)
    {
        Subscriptions.Add(subscription);
        if (subscription.Gates == Gates.None) open++;
    }

    internal void Remove(Subscription subscription)
    {
        Subscriptions.Remove(subscription);
        if (subscription.Gates == Gates.None) open--;
    }

    internal void SetGates(Subscription subscription, Gates gates)
    {
        if (subscription.Gates == Gates.None) open--;
        subscription.Gates = gates;
        if (gates == Gates.None) open++;
    }

    /// <summary>Decides once for all listeners here whether a packet of the talker's goes on. What does not is taken out of the numbering, so that
    /// it costs the same however many they are.</summary>
    /// <param name="number">The packet's, for the listeners here.</param>
    /// <param name="begins">The talker is heard again from this packet on.</param>
    /// <param name="ends">The talker was heard until now.</param>
    internal DropReason? Select(in MediaPacket packet, TimeSpan now, out ulong number, out bool begins, out bool ends)
    {
        (number, begins, ends) = (packet.Index, false, false);
        if (group is null) return null;

        // Whom nobody hears, as one who is muted, must not keep others from being heard.
        if (open == 0) group.Remove(speaker);
        if (open > 0 && group.Hear(speaker, packet.Level, now))
        {
            (begins, passing) = (!passing, true);
            return numbers.TryMap(packet.Index, out number) ? null : DropReason.EgressTooOld;
        }
        (ends, passing) = (passing, false);
        numbers.Skip(packet.Index);
        return open == 0 ? DropReason.Gated : DropReason.NotLoudest;
    }
}
