using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>The call of one slot of a guild: where it is, where it is going, and where it came from. A move is made before it breaks:
/// the next node acknowledges the voice states, then clients are told, and the former node serves on for <see cref="Overlap"/>
/// (docs/decisions/0011).</summary>
public sealed class SlotCall(string slot)
{
    /// <summary>How long the former node serves on after clients were told. Ours leave it earlier; the bound for media of an old epoch is
    /// 5 s, and the way of the news to both counts in it.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromSeconds(4.5);

    public string Slot { get; } = slot;

    /// <summary>Serves the call; null while no voice server does.</summary>
    public SlotHold? Current { get; private set; }

    /// <summary>Is to serve it, and no client knows yet.</summary>
    public SlotHold? Next { get; private set; }

    /// <summary>Served it before, and still does until <see cref="LeavesAt"/>.</summary>
    public SlotHold? Leaving { get; private set; }

    /// <summary>When <see cref="Leaving"/> is over; null before its node was told so.</summary>
    public TimeSpan? LeavesAt { get; private set; }

    /// <summary>It should be served elsewhere, and goes on here until it is.</summary>
    public bool MoveWanted { get; set; }

    /// <summary>A place is being sought or made ready.</summary>
    public bool IsMoving { get; private set; }

    /// <summary>Whoever wanted the call has ended it for everybody.</summary>
    public bool Terminated { get; set; }

    /// <summary>Null while no voice server is assigned.</summary>
    public Assignment? Assignment => Current?.Assignment;

    public SlotHold? Find(long epoch) => new[] { Current, Next, Leaving }.FirstOrDefault(hold => hold?.Assignment.Epoch == epoch);

    /// <summary>Of those in use.</summary>
    public long HighestEpoch => new[] { Current, Next, Leaving }.Max(hold => hold?.Assignment.Epoch ?? 0);

    /// <summary>In place of any that there was.</summary>
    public SlotHold Assign(Assignment assignment)
    {
        MoveWanted = false; // it was chosen just now
        return Current = new SlotHold(assignment);
    }

    public void Unassign() => Current = null;

    /// <summary>A move begins: until it ends, the allocator may know only of where it leads.</summary>
    public void BeginMove() => IsMoving = true;

    public SlotHold Prepare(Assignment assignment) => Next = new SlotHold(assignment);

    /// <summary>The move comes to nothing.</summary>
    public void Abandon() => (Next, IsMoving) = (null, false);

    /// <summary>The next node has everything: from now on it is the one.</summary>
    public void Switch()
    {
        // It may have died meanwhile: then there is nothing to overlap with, and what was left before is still there.
        if (Current is not null) (Leaving, LeavesAt) = (Current, null);
        (Current, Next, MoveWanted, IsMoving) = (Next, null, false, false);
    }

    /// <summary>Clients were told, and the former node how long it has.</summary>
    public void Leave(TimeSpan now) => LeavesAt = now + Overlap;

    /// <summary>The former node is done, or gone.</summary>
    public void Left() => (Leaving, LeavesAt) = (null, null);

    /// <summary>The node lets this session in: it has acknowledged it.</summary>
    public bool Holds(Participant participant) => Current?.Holds(participant) ?? false;
}
