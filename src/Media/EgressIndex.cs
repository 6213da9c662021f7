using Voice.Protocol.Srtp;

namespace Voice.Media;

/// <summary>One stream's 48-bit SRTP index towards one listener (design.md section 3.6): it follows the talker's index by an
/// offset, moves down by what is dropped on purpose, and never names two packets alike, because in GCM the nonce is (SSRC,
/// index), not even over a restart of the process. It starts below 2^15 with rollover 0: a receiver that joins late knows no other (RFC 3711 section 3.3.1).</summary>
public struct EgressIndex
{
    /// <summary>Starts are below this.</summary>
    public const int MaxStart = 1 << 15;

    /// <summary>How many indexes are reserved at a time: what a successor skips at most, so that receivers see a small loss, and many enough that
    /// reserving costs nothing.</summary>
    public const ulong Block = 32;

    /// <summary>A step this large is not loss but a sender that began anew; passing it on would strain the receiver's estimate.</summary>
    public const ulong MaxGap = 1 << 13;

    private ReplayWindow used;
    private ulong from;
    private ulong expected;
    private bool following;

    /// <param name="start">The first index: below <see cref="MaxStart"/>, or <see cref="Reserved"/> of an earlier process with the same listener's
    /// key.</param>
    public EgressIndex(ulong start) => Next = Reserved = start;

    /// <summary>The lowest index that nothing at or above was used.</summary>
    public ulong Next { get; private set; }

    /// <summary>All indexes that were given out are below it, by less than two blocks. Must be where a successor finds it before a packet leaves.</summary>
    public ulong Reserved { get; private set; }

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
        Reserve(egress);
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
        Reserve(egress);
        return null;
    }

    /// <summary>The talker's numbering changes: whatever comes next follows the last index used.</summary>
    public void Rebase() => following = false;

    /// <summary>Gives back what was reserved and not used: nothing more is sent here.</summary>
    public void Release() => Reserved = Next;

    private void Reserve(ulong egress)
    {
        if (egress >= Reserved) Reserved = egress + Block;
    }
}
