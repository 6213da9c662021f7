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
/// much shows when the same payload comes over both. So there is a cut: what comes after is taken from the next session, what was said before, or a moment
/// later, from whichever brings it. It is made at the first packet by which the next session is ahead. A talker that is not the same on both
/// (a browser encodes for each peer connection) is heard over the next session as soon as it is clear that nothing is. Told the time; one thread at a time.</summary>
internal sealed class HeardTalker
{
    /// <summary>Timestamps this close are of one clock: by chance that is once in some ten thousand.</summary>
    private const int Near = OpusToc.SampleRate;

    /// <summary>How far one way may be behind the other, in milliseconds: so long the former session is waited for where it should bring a packet, too, or
    /// should show how the clocks differ. When nothing came over it for so long, nothing will.</summary>
    private const int MaxSkewMillis = 80;

    private const uint MaxSkewSamples = OpusToc.SampleRate / 1000 * MaxSkewMillis;
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMilliseconds(MaxSkewMillis);

    private readonly RecentPackets heard = new();
    private Source current = new(-1);
    private Source former = new(-1);
    private Source next = new(-1);
    private uint settled;
    private uint last;
    private ulong lastSequence;
    private TimeSpan lastAt;

    /// <summary>False: it came over the other session, or will.</summary>
    /// <param name="sequence">Its number for whoever reads: it goes on over the cut, where the timestamps do.</param>
    /// <param name="timestamp">Its timestamp, by the clock that was heard first.</param>
    public bool TryTake(in HeardPacket packet, TimeSpan now, out ulong sequence, out uint timestamp)
    {
        (sequence, timestamp) = (0, 0);
        var isNext = packet.Session > current.Session;
        if (isNext && !TryCut(packet, now)) return false;

        var source = packet.Session == current.Session ? current : former;
        if (packet.Session != source.Session) return false; // of a session before the former
        (sequence, timestamp) = source.Of(packet);
        var isAroundCut = former.Session >= 0 && unchecked((int)(timestamp - settled)) is < 0 and > -Near;
        if (source == former && !isAroundCut) return false;
        if (isAroundCut && (heard.Has(timestamp, packet.Content) || heard.TimestampOf(packet.Content, now) is not null)) return false;

        heard.Add(timestamp, packet.Content, now);
        next.Align(packet.Content, timestamp, now);
        if (isNext || !IsLate(timestamp)) (last, lastSequence, lastAt) = (timestamp, sequence, now);
        return true;
    }

    private bool IsLate(uint timestamp) => unchecked((int)(timestamp - last)) is <= 0 and > -Near;

    /// <summary>Makes the cut before this packet, the next session's, if it is time.</summary>
    private bool TryCut(in HeardPacket packet, TimeSpan now)
    {
        if (next.Session != packet.Session) next = new Source(packet.Session) { Since = now };
        if (current.Session >= 0 && !IsOurs(packet, now)) return false;

        // By the clock of the session so far; or there is no way to tell.
        var timestamp = next.Of(packet).Timestamp;
        var gap = unchecked((int)(timestamp - last));
        var goesOn = current.Session >= 0 && gap is > 0 and < Near;
        former = goesOn ? current : new Source(-1);
        current = next;
        next = new Source(-1);
        settled = timestamp + MaxSkewSamples;
        if (!goesOn) return true;
        var steps = packet.Begins || packet.Samples <= 0 ? 1 : Math.Max(1, (gap + (packet.Samples / 2)) / packet.Samples);
        current.Shift = unchecked(lastSequence + (ulong)steps - packet.Index);
        return true;
    }

    /// <summary>Whether a packet of the next session's came over no other, and will not.</summary>
    private bool IsOurs(in HeardPacket packet, TimeSpan now)
    {
        var timestamp = next.Of(packet).Timestamp;
        if (heard.TimestampOf(packet.Content, now) is { } original) next.Align(packet.Timestamp, original);
        else if (!heard.Has(timestamp, packet.Content))
        {
            var isDead = now - lastAt >= MaxSkew;
            var isUnclear = packet.Content != 0 && !next.IsAligned && now - next.Since < MaxSkew;
            if (isDead || !(isUnclear || IsLate(timestamp))) return true;
            next.Held.Add(packet.Timestamp, packet.Content, now);
        }

        return false;
    }

    /// <summary>A session, and how its numbers are ours.</summary>
    private sealed class Source(int session)
    {
        private uint offset;
        private RecentPackets? held;

        public int Session => session;

        public TimeSpan Since { get; init; }

        public ulong Shift { get; set; }

        /// <summary>A packet came over both sessions: their clocks are compared.</summary>
        public bool IsAligned { get; private set; }

        /// <summary>Packets that the former session is to bring.</summary>
        public RecentPackets Held => held ??= new();

        public (ulong Sequence, uint Timestamp) Of(in HeardPacket packet) => unchecked((packet.Index + Shift, packet.Timestamp + offset));

        public void Align(uint its, uint ours) => (offset, IsAligned) = (unchecked(ours - its), true);

        /// <summary>The former session brought a packet; perhaps it is one of those held.</summary>
        public void Align(int content, uint ours, TimeSpan now)
        {
            if (held?.TimestampOf(content, now) is { } its) Align(its, ours);
        }
    }

    /// <summary>More than a second of packets.</summary>
    private sealed class RecentPackets
    {
        private const int Size = 64;

        /// <summary>What comes later with the same payload was said again.</summary>
        private static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(500);

        private readonly (uint Timestamp, int Content, TimeSpan At)[] packets = new (uint, int, TimeSpan)[Size];
        private uint count;

        public void Add(uint timestamp, int content, TimeSpan at) => packets[count++ % Size] = (timestamp, content, at);

        /// <summary>By the timestamp; unless it has another payload: timestamps count frames, and those of two clocks may coincide.</summary>
        public bool Has(uint timestamp, int content)
        {
            foreach (var packet in Known)
            {
                if (packet.Timestamp == timestamp && (packet.Content == content || packet.Content == 0 || content == 0)) return true;
            }

            return false;
        }

        /// <summary>Of the one packet with this payload; null: it was said for the first time, or again and again.</summary>
        public uint? TimestampOf(int content, TimeSpan now)
        {
            uint? found = null;
            foreach (var packet in Known)
            {
                if (content == 0 || packet.Content != content || now - packet.At > MaxDelay) continue;
                if (found is not null) return null;
                found = packet.Timestamp;
            }

            return found;
        }

        private ReadOnlySpan<(uint Timestamp, int Content, TimeSpan At)> Known => packets.AsSpan(0, (int)Math.Min(count, Size));
    }
}
