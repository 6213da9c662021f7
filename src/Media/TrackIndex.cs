namespace Voice.Media;

/// <summary>A track's own numbering of its packets: follows the talker's, moves down by what is dropped on purpose for every listener at
/// once, and goes on where the talker begins anew. So such a drop costs one step and not one for each listener, whose
/// <see cref="EgressIndex"/> sees neither a gap nor a change of source.</summary>
internal struct TrackIndex
{
    private ulong from;
    private ulong expected;
    private ulong next;
    private bool following;

    /// <summary>False for what was overtaken by a drop: the number that it would have had is another packet's.</summary>
    /// <param name="ingress">The talker's 48-bit index; in any order.</param>
    public bool TryMap(ulong ingress, out ulong index)
    {
        index = 0;
        if (!following) (from, expected, following) = (ingress, ingress, true);
        if (ingress < from) return false;
        index = next + ingress - expected; // both ways: below next when the packet is late
        if (ingress >= expected) (expected, next) = (ingress + 1, index + 1);
        return true;
    }

    /// <summary>The talker's packet is dropped on purpose: the next one takes the number that it would have had.</summary>
    public void Skip(ulong ingress)
    {
        if (following && ingress >= expected) from = expected = ingress + 1;
    }

    /// <summary>The talker's numbering changes: whatever comes next follows the last number given.</summary>
    public void Rebase() => following = false;
}
