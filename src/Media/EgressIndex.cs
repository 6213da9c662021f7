using Voice.Protocol.Srtp;

namespace Voice.Media;

/// <summary>One stream's 48-bit SRTP index towards one listener (design.md section 3.6): it follows the talker's index by an
/// offset, moves down by what is dropped on purpose, and never names two packets alike, because in GCM the nonce is (SSRC,
/// index). It starts below 2^15 with rollover 0: a receiver that joins late knows no other (RFC 3711 section 3.3.1).</summary>
public struct EgressIndex
{
    /// <summary>Starts are below this.</summary>
    public const int MaxStart = 1 << 15;

    /// <summary>How far a restarted process would go past a checkpoint (<see cref="Resume"/>): more than was sent since (a minute of audio), and little
    /// enough that receivers tolerate <see cref="MaxRestarts"/> in a row during which they got nothing.</summary>
    public const ulong RestartJump = 1 << 12;

    public const int MaxRestarts = 5;

    /// <summary>A step this large is not loss but a sender that began anew; passing it on would strain the receiver's estimate.</summary>
    public const ulong MaxGap = 1 << 13;

    private ReplayWindow used;
    private ulong from;
    private ulong expected;
    private bool following;

    /// <param name="start">The first index: below <see cref="MaxStart"/>, or the next one of a stream that was sent before.</param>
    public EgressIndex(ulong start) => Next = start;

    /// <summary>The lowest index that nothing at or above was used: what a checkpoint would keep.</summary>
    public ulong Next { get; private set; }

    /// <summary>Goes on where a process with the same listener's key stopped. Nothing restarts with it yet: a session ends with the
    /// process that sends for it, and another has another key.</summary>
    public static EgressIndex Resume(ulong checkpoint) => new(checkpoint + RestartJump);

    /// <summary>The index to send the talker's packet under; null if it may be sent, else why not.</summary>
    public DropReason? TryMap(ulong ingress, out ulong egress)
    {
        egress = 0;
        if (!following || (ingress >= expected && ingress - expected >= MaxGap))
        {
            (from, expected, following) = (ingress, ingress, true);
        }
        // What its index would have been belongs to another packet since the last shift.
        if (ingress < from) return DropReason.EgressTooOld;

        egress = Next + ingress - expected; // both ways: below Next when the packet is late
        if (egress >= SrtpContext.IndexLimit) return DropReason.EgressExhausted;
        switch (used.Check(egress))
        {
            case ReplayVerdict.Replayed: return DropReason.EgressReused;
            case ReplayVerdict.TooOld: return DropReason.EgressTooOld;
        }
        used.Commit(egress);
        if (ingress >= expected) (expected, Next) = (ingress + 1, egress + 1);
        return null;
    }

    /// <summary>The talker's packet is dropped on purpose: the next one takes the index that it would have had.</summary>
    public void Skip(ulong ingress)
    {
        if (following && ingress >= expected) from = expected = ingress + 1;
    }

    /// <summary>The index of a packet of our own: what follows of the talker's goes on after it, and what is late is too old.</summary>
    public DropReason? TryAppend(out ulong egress)
    {
        egress = Next;
        if (egress >= SrtpContext.IndexLimit) return DropReason.EgressExhausted;
        used.Commit(egress);
        (Next, from) = (egress + 1, expected);
        return null;
    }

    /// <summary>The talker's numbering changes: whatever comes next follows the last index used.</summary>
    public void Rebase() => following = false;
}
