using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

internal readonly record struct GuildSlot(ulong Guild, string Slot);

/// <summary>A guild (one of its slots) that this node was given: its voice states as the gateway pushed them, and who of
/// them is here.</summary>
internal sealed class ServedGuild(GuildSlot key, long epoch)
{
    private readonly Dictionary<ulong, VoiceMember> members = [];

    public GuildSlot Key => key;

    public long Epoch => epoch;

    public long Revision { get; private set; }

    /// <summary>The gateway that spoke about it last.</summary>
    public long Link { get; set; }

    /// <summary>By user: a user is in one channel of a guild at most.</summary>
    public Dictionary<ulong, VoiceSession> Sessions { get; } = [];

    public VoiceMember? Member(ulong user) => members.GetValueOrDefault(user);

    /// <summary>Whether the update can be applied to what is here; one that cannot was seen before, or needs a whole one.</summary>
    public bool Follows(GuildUpdate update) => update.Whole ? update.Revision > Revision : update.Revision == Revision + 1;

    public void Apply(GuildUpdate update)
    {
        Revision = update.Revision;
        if (update.Whole) members.Clear();
        foreach (var user in update.Removed) members.Remove(user);
        foreach (var member in update.Put) members[member.User] = member;
    }
}

/// <summary>Remembers for a while which assignments ended, so that an update of theirs which comes late, over another
/// link, does not bring them back (design.md section 3.9).</summary>
internal sealed class EpochFence
{
    /// <summary>Longer than any message is under way.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private readonly Dictionary<GuildSlot, (long Epoch, TimeSpan Until)> ended = [];

    public void End(GuildSlot key, long epoch, TimeSpan now) => ended[key] = (Math.Max(epoch, Highest(key)), now + Kept);

    /// <summary>Of the assignments that ended; 0 if none did.</summary>
    public long Highest(GuildSlot key) => ended.TryGetValue(key, out var fence) ? fence.Epoch : 0;

    public void Tick(TimeSpan now)
    {
        foreach (var (key, fence) in ended)
        {
            if (fence.Until <= now) ended.Remove(key);
        }
    }
}
