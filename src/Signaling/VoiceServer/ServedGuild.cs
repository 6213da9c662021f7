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

    /// <summary>It has moved to another node, and this one serves those who are on their way until then; null: it is here.</summary>
    public TimeSpan? EndsAt { get; set; }

    /// <summary>The gateway that spoke about it last.</summary>
    public long Link { get; set; }

    /// <summary>By user: a user is in one channel of a guild at most.</summary>
    public Dictionary<ulong, VoiceSession> Sessions { get; } = [];

    public VoiceMember? Member(ulong user) => members.GetValueOrDefault(user);

    /// <summary>Whether a newer update can be applied to what is here; one that cannot needs a whole one first.</summary>
    public bool Follows(GuildUpdate update) => update.Whole || update.Revision == Revision + 1;

    public void Apply(GuildUpdate update)
    {
        Revision = update.Revision;
        if (update.Whole) members.Clear();
        foreach (var user in update.Removed) members.Remove(user);
        foreach (var member in update.Put) members[member.User] = member;
    }
}
