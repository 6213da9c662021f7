using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>What came of a <see cref="GuildUpdate"/>.</summary>
/// <param name="Answer">Names the revision that was taken, or the one that could not be without a whole update; an update from
/// before what is held is answered with what is held.</param>
/// <param name="Ended">The assignment that it replaced.</param>
/// <param name="Changed">The guild whose voice states it changed.</param>
internal readonly record struct TakenUpdate(GuildAck Answer, ServedGuild? Ended, ServedGuild? Changed);

/// <summary>The guilds that this node was given, fenced by epochs (design.md section 3.9).</summary>
internal sealed class ServedGuilds
{
    /// <summary>Whatever a gateway says: two nodes that serve a guild should not do so for long.</summary>
    private static readonly TimeSpan LongestOverlap = TimeSpan.FromSeconds(10);

    private readonly Dictionary<GuildSlot, ServedGuild> guilds = [];
    private readonly EpochFence fence = new();

    public int Count => guilds.Count;

    public ServedGuild? Find(GuildSlot key) => guilds.GetValueOrDefault(key);

    /// <summary>Without those that have moved away: nobody should adopt them.</summary>
    public HostedGuild[] Hosted() => [.. guilds.Values.Where(guild => guild.EndsAt is null)
        .Select(guild => new HostedGuild(guild.Key.Guild, guild.Key.Slot, guild.Epoch, guild.Sessions.Count))];

    public TakenUpdate Take(TimeSpan now, GuildUpdate update)
    {
        var key = new GuildSlot(update.Guild, update.Slot);
        var guild = Find(key);
        var ended = guild is not null && guild.Epoch < update.Epoch ? End(now, guild) : null;
        if (ended is not null) guild = null;

        if (guild is null)
        {
            // Nothing is held: revision 0 cannot be mistaken for the update's.
            if (update.Epoch <= fence.Highest(key)) return new(Answer(fence.Highest(key), 0), ended, null);
            if (!update.Whole) return new(Answer(update.Epoch, update.Revision, needWhole: true), ended, null);
            guilds.Add(key, guild = new ServedGuild(key, update.Epoch));
        }

        if (guild.Epoch > update.Epoch || update.Revision <= guild.Revision) return new(Answer(guild.Epoch, guild.Revision), ended, null);
        if (!guild.Follows(update)) return new(Answer(guild.Epoch, update.Revision, needWhole: true), ended, null);
        guild.Apply(update);
        return new(Answer(guild.Epoch, guild.Revision), ended, guild);

        GuildAck Answer(long epoch, long revision, bool needWhole = false) => new(update.Guild, update.Slot, epoch, revision, needWhole);
    }

    /// <summary>The guild that ended with it; null if that assignment is not here, or stays for a while.</summary>
    public ServedGuild? Drop(TimeSpan now, GuildDrop drop)
    {
        var key = new GuildSlot(drop.Guild, drop.Slot);
        fence.End(key, drop.Epoch, now);
        if (Find(key) is not { } guild || guild.Epoch > drop.Epoch) return null;
        if (drop.OverlapMillis <= 0) return End(now, guild);

        var overlap = TimeSpan.FromMilliseconds(drop.OverlapMillis);
        guild.EndsAt ??= now + (overlap < LongestOverlap ? overlap : LongestOverlap);
        return null;
    }

    /// <summary>The guilds that ended now.</summary>
    public ServedGuild[] Tick(TimeSpan now)
    {
        fence.Tick(now);
        return [.. guilds.Values.Where(guild => guild.EndsAt <= now).ToArray().Select(guild => End(now, guild))];
    }

    private ServedGuild End(TimeSpan now, ServedGuild guild)
    {
        guilds.Remove(guild.Key);
        fence.End(guild.Key, guild.Epoch, now);
        return guild;
    }
}

/// <summary>Remembers for a while which assignments ended, so that an update of theirs which comes late, over another
/// link, does not bring them back.</summary>
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
