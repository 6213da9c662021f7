using System.Collections.Concurrent;
using Voice.Protocol;

namespace Voice.Client;

/// <summary>Who is in the channel, and whose packets carry which SSRC. Written by the voice WebSocket's reader, read by any thread.</summary>
internal sealed class Roster
{
    /// <summary>More than any channel has: a server that names more gets no more remembered.</summary>
    public const int Max = 65_536;

    private readonly ConcurrentDictionary<Snowflake, byte> present = new();
    private readonly ConcurrentDictionary<uint, Snowflake> bySsrc = new();

    public IReadOnlyCollection<Snowflake> Users => (IReadOnlyCollection<Snowflake>)present.Keys;

    public bool Has(Snowflake user) => present.ContainsKey(user);

    /// <returns>False if it was known.</returns>
    public bool Enter(Snowflake user) => present.Count < Max && present.TryAdd(user, 0);

    public bool Leave(Snowflake user)
    {
        foreach (var (ssrc, owner) in bySsrc)
        {
            if (owner == user) bySsrc.TryRemove(ssrc, out _);
        }

        return present.TryRemove(user, out _);
    }

    public void Assign(uint ssrc, Snowflake user)
    {
        if (bySsrc.Count < Max) bySsrc[ssrc] = user;
    }

    public Snowflake? Find(uint ssrc) => bySsrc.TryGetValue(ssrc, out var user) ? user : null;
}
