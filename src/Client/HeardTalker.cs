using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>One packet of a talker's, as a session brought it.</summary>
/// <param name="Session">The session's number: a later one has a higher.</param>
/// <param name="Index">The extended sequence number there.</param>
/// <param name="Samples">How long it plays, at 48 kHz.</param>
/// <param name="Begins">The first after a pause.</param>
/// <param name="Content">A hash of its payload; 0 for what many packets have in common, such as silence.</param>
internal readonly record struct HeardPacket(int Session, ulong Index, uint Timestamp, int Samples, bool Begins, int Content);

/// <summary>What one talker says, out of one voice session or, while the call moves from a voice server to the next, of two: each packet once,
/// numbered through. A talker that sends the same packets to both servers gives them the same timestamps; a server shifts them at most, and by how
/// much shows when the same payload comes over both. So there is a cut: what was said before it is taken from the former session, what
/// comes after from the next one. It is made at the first packet by which the next session is ahead. A talker that is not the same on both (a browser
/// encodes for each peer connection) is heard over the next session from its first packet there. Told the time; one thread at a time.</summary>
internal sealed class HeardTalker
{
    /// <summary>Timestamps this close are of one clock: by chance that is once in some ten thousand.</summary>
    private const int Near = OpusToc.SampleRate;

    /// <summary>Packets that are known again: more than a second of them.</summary>
    private const int Remembered = 64;

    /// <summary>By the next session's clock a packet may seem to be said before the former's last one, without being its copy: then what the former
    /// says is waited for, and when nothing came for so long, nothing will.</summary>
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMilliseconds(60);

    /// <summary>What comes later with the same payload was said again.</summary>
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(500);

    private readonly (uint Timestamp, int Content, TimeSpan At)[] recent = new (uint, int, TimeSpan)[Remembered];
    private uint packets;
    private Source current = new(-1);
    private Source former = new(-1);
    private Source next = new(-1);
    private uint cut;
    private uint last;
    private ulong lastSequence;
    private TimeSpan heard;

    /// <summary>False: it came over the other session, or will.</summary>
    /// <param name="sequence">Its number for whoever reads: it goes on over the cut, where the timestamps do.</param>
    /// <param name="timestamp">Its timestamp, by the clock that was heard first.</param>
    public bool TryTake(in HeardPacket packet, TimeSpan now, out ulong sequence, out uint timestamp)
    {
        var source = SourceOf(packet.Session);
        (sequence, timestamp) = source.Of(packet);
        if (packet.Session < current.Session) return source == former && Precedes(timestamp, cut); // still under way when the cut was made

        var ahead = unchecked((int)(timestamp - last));
        var isLate = ahead is <= 0 and > -Near;
        if (packet.Session > current.Session)
        {
            if (current.Session >= 0 && IsCopy(packet, now, timestamp)) return false;
            if (current.Session >= 0 && isLate && now - heard < MaxSkew) return false;
            Cut(packet, current.Session >= 0 && ahead is > 0 and < Near ? ahead : null);
            (sequence, timestamp) = current.Of(packet);
            isLate = false;
        }
        else if (former.Session >= 0 && Precedes(timestamp, cut))
        {
            return false;
        }

        recent[packets++ % Remembered] = (timestamp, packet.Content, now);
        if (!isLate) (last, lastSequence, heard) = (timestamp, sequence, now);
        return true;
    }

    private static bool Precedes(uint timestamp, uint cut) => unchecked((int)(timestamp - cut)) is < 0 and > -Near;

    private Source SourceOf(int session)
    {
        if (session == current.Session) return current;
        if (session < current.Session) return former.Session == session ? former : new Source(session);
        return next.Session == session ? next : next = new Source(session);
    }

    /// <summary>It was heard over the session before. Where its timestamp is another, that tells how the clocks differ.</summary>
    private bool IsCopy(in HeardPacket packet, TimeSpan now, uint timestamp)
    {
        var (alike, original) = (0, 0u);
        foreach (var (heardTimestamp, content, at) in recent.AsSpan(0, (int)Math.Min(packets, Remembered)))
        {
            if (timestamp == heardTimestamp) return true;
            if (packet.Content == 0 || packet.Content != content || now - at > MaxDelay) continue;
            (alike, original) = (alike + 1, heardTimestamp);
        }

        if (alike != 1) return false; // said for the first time, or again and again
        next.Offset = unchecked(original - packet.Timestamp);
        return true;
    }

    /// <param name="ahead">Samples since the former session's last packet; null: it has another clock.</param>
    private void Cut(in HeardPacket packet, int? ahead)
    {
        former = ahead is null ? new Source(-1) : current;
        current = next;
        if (ahead is { } gap)
        {
            var steps = packet.Begins || packet.Samples <= 0 ? 1 : Math.Max(1, (gap + (packet.Samples / 2)) / packet.Samples);
            current.Shift = unchecked(lastSequence + (ulong)steps - packet.Index);
        }

        cut = current.Of(packet).Timestamp;
    }

    /// <summary>A session, and how its numbers are ours.</summary>
    private sealed class Source(int session)
    {
        public int Session => session;

        public ulong Shift { get; set; }

        public uint Offset { get; set; }

        public (ulong Sequence, uint Timestamp) Of(in HeardPacket packet) => unchecked((packet.Index + Shift, packet.Timestamp + Offset));
    }
}
