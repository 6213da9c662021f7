using Voice.Protocol.Srtp;

namespace Voice.Media;

/// <summary>Keeps replays of a UDP client's packets out, against which its encryption has nothing: the nonce on the wire is opaque
/// (udp-media.md section 5.2). The 16-bit sequence is extended to an index as in SRTP (RFC 3711 section 3.3.1), but here only the
/// sequence is authenticated, not the index.</summary>
internal struct SequenceWindow
{
    private ReplayWindow window;
    private uint timestamp;

    /// <summary>Null if the packet may be taken, should it authenticate. Changes nothing.</summary>
    /// <param name="rtpTimestamp">Of the packet.</param>
    public readonly DropReason? Refuse(ushort sequence, uint rtpTimestamp, out ulong index)
    {
        index = sequence;
        if (window.IsEmpty) return null;
        if (!Rollover.TryGuess(window.Highest, sequence, out index)) return DropReason.UdpTooOld;
        // What was recorded half a cycle ago or more (eleven minutes) looks like a packet after a large loss; but its timestamp, which
        // takes a day to come round, is an old one.
        if (index > window.Highest + ReplayWindow.Size && (int)(rtpTimestamp - timestamp) <= 0) return DropReason.UdpTooOld;
        return window.Check(index) switch
        {
            ReplayVerdict.Fresh => null,
            ReplayVerdict.Replayed => DropReason.UdpReplayed,
            _ => DropReason.UdpTooOld,
        };
    }

    /// <summary>Remembers a packet that was not refused and has authenticated.</summary>
    /// <returns>Whether it is newer than every one before.</returns>
    public bool Commit(ulong index, uint rtpTimestamp)
    {
        var newest = window.IsEmpty || index > window.Highest;
        window.Commit(index);
        if (newest) timestamp = rtpTimestamp;
        return newest;
    }
}
