using Voice.Load.Drills.People;
using Voice.Load.Drills.Servers;
using Voice.Protocol;

namespace Voice.Load.Drills;

/// <summary>Whom the guilds have in their channels, by what a gateway answers.</summary>
internal static class VoiceStates
{
    /// <summary>People who are not there.</summary>
    public static async Task<IReadOnlyCollection<Snowflake>> Read(DrillCluster cluster, Crowd crowd, CancellationToken cancel)
    {
        var missing = new List<Snowflake>();
        foreach (var guild in crowd.Guilds)
        {
            var state = await cluster.Call<Protocol.Gateway.Guild>(HttpMethod.Get, $"api/v10/guilds/{guild.Id}", body: null, cluster.Token(guild.People[0].User), cancel);
            var there = state.VoiceStates.Where(one => one.ChannelId == guild.Channel).Select(one => one.UserId).ToHashSet();
            missing.AddRange(guild.Users.Where(user => !there.Contains(user)));
        }

        return missing;
    }
}
