using Voice.Protocol.Srtp;

namespace Voice.Protocol.DiscordUdp;

/// <summary>Keeps replays out of a UDP stream, whose encryption has nothing against them: the nonce on the wire is opaque
/// (udp-media.md section 5.2). The 16-bit sequence is extended to an index as in SRTP (RFC 3711 section 3.3.1), but here
/// only the sequence is authenticated, not the index; and in modes that do not authenticate the header not even that: there a packet can come
/// again under another sequence, and <see cref="RecentNonces"/> are needed too.</summary>
public struct SequenceWindow
{
    private ReplayWindow window;
    private uint timestamp;

    /// <summary>The newest packet's index; null before the first.</summary>
    public readonly ulong? Highest => window.IsEmpty ? null : window.Highest;

    /// <summary>That packet's timestamp.</summary>
    public readonly uint Timestamp => timestamp;

    /// <summary>Goes on after that packet: what came before it counts as seen.</summary>
    public static SequenceWindow After(ulong highest, uint timestamp) => new() { window = ReplayWindow.After(highest), timestamp = timestamp };

    /// <summary>Whether the packet may be taken, should it authenticate. Changes nothing.</summary>
    /// <param name="rtpTimestamp">Of the packet.</param>
    /// <param name="index">What <see cref="Commit"/> wants.</param>
    public readonly ReplayVerdict Check(ushort sequence, uint rtpTimestamp, out ulong index)
    {
        index = sequence;
        if (window.IsEmpty) return ReplayVerdict.Fresh;
        if (!Rollover.TryGuess(window.Highest, sequence, out index)) return ReplayVerdict.TooOld;
        // What was recorded half a cycle ago or more (eleven minutes) looks like a packet after a large loss; but its timestamp, which
        // takes a day to come round, is an old one.
        if (index > window.Highest + ReplayWindow.Size && (int)(rtpTimestamp - timestamp) <= 0) return ReplayVerdict.TooOld;
        return window.Check(index);
    }

    /// <summary>Remembers a fresh packet that has authenticated.</summary>
    /// <returns>Whether it is newer than every one before.</returns>
    public bool Commit(ulong index, uint rtpTimestamp)
    {
        var newest = window.IsEmpty || index > window.Highest;
        window.Commit(index);
        if (newest) timestamp = rtpTimestamp;
        return newest;
    }
}
