using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>One assignment of a slot, and what its node is known to hold. Says what to push next.</summary>
public sealed class SlotHold(Assignment assignment)
{
    private Dictionary<ulong, VoiceMember> held = [];
    private Dictionary<ulong, VoiceMember>? pushed;
    private long revision;

    public Assignment Assignment { get; } = assignment;

    /// <summary>The next push has to be a whole one.</summary>
    public bool NeedsWhole { get; private set; } = true;

    /// <summary>The node may not have got what was pushed last: the next push is a whole one.</summary>
    public void Doubt()
    {
        pushed = null;
        NeedsWhole = true;
    }

    /// <summary>What the node needs in order to hold <paramref name="wanted"/>; null: nothing. One push at a time.</summary>
    public GuildUpdate? Push(Dictionary<ulong, VoiceMember> wanted)
    {
        VoiceMember[] put = NeedsWhole
            ? [.. wanted.Values]
            : [.. wanted.Values.Where(member => !held.TryGetValue(member.User, out var old) || old != member)];
        ulong[] removed = NeedsWhole ? [] : [.. held.Keys.Where(user => !wanted.ContainsKey(user))];
        if (!NeedsWhole && put.Length == 0 && removed.Length == 0) return null;

        pushed = wanted;
        return new GuildUpdate(Assignment.Guild, Assignment.Slot, Assignment.Epoch, ++revision, NeedsWhole, put, removed);
    }

    /// <summary>Of those that the node holds, who left or was changed since; nobody is let in any more. Null: nothing changed. It is not
    /// waited for: whatever is lost on the way lasts until the overlap is over.</summary>
    public GuildUpdate? Restrict(Dictionary<ulong, VoiceMember> wanted)
    {
        var remaining = held.Values.Where(member => wanted.TryGetValue(member.User, out var now) && now.SessionId == member.SessionId)
            .ToDictionary(member => member.User, member => wanted[member.User]);
        if (Push(remaining) is not { } update) return null;
        held = remaining;
        NeedsWhole = false;
        return update;
    }

    /// <summary>The node's answer to the push under way; false: it answers something else.</summary>
    public bool Acknowledge(GuildAck ack)
    {
        if (pushed is null || ack.Epoch != Assignment.Epoch) return false;
        if (ack.NeedWhole)
        {
            // It names the revision that it has, which is an older one.
            Doubt();
            return true;
        }

        if (ack.Revision > revision)
        {
            // What it has is from the same assignment, and from before this silo took it up: count on from there.
            revision = ack.Revision;
            Doubt();
            return true;
        }

        if (ack.Revision != revision) return false;

        (held, pushed, NeedsWhole) = (pushed, null, false);
        return true;
    }

    /// <summary>The node lets this session in: it has acknowledged it.</summary>
    public bool Holds(Participant participant) =>
        held.TryGetValue(participant.User.Value, out var member) && member.SessionId == participant.SessionId;
}
