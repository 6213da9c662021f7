using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Tests.VoiceAllocator;

internal static class Nodes
{
    public static NodeReport Report(double utilisation = 0, bool mediaReady = true, params HostedGuild[] hosted) =>
        new(utilisation, 0, 0, hosted.Sum(guild => guild.Sessions), hosted.Length, mediaReady, hosted);

    public static NodeIdentity Identity(string id, string region = "local", string incarnation = "1") =>
        new(id, incarnation, region, $"{id}.example:2048");

    /// <summary>A fleet that has learned enough.</summary>
    public static Fleet NewFleet(Neighbours? neighbours = null, int seed = 1) => new(neighbours ?? new Neighbours(), new Random(seed), -Fleet.LearnFor);

    /// <summary>A node is linked and has just reported.</summary>
    public static void Arrive(this Fleet fleet, string id, double utilisation = 0, string region = "local", TimeSpan now = default)
    {
        fleet.Register(Identity(id, region), "link", "observer", now);
        fleet.Report(id, "1", "link", Report(utilisation), now);
    }

    /// <summary>One observer says this of these nodes, and nothing of others.</summary>
    public static void Vote(this Fleet fleet, TimeSpan now, params (string Node, NodeHealth Health)[] votes) => fleet.VoteAs("observer", now, votes);

    public static void VoteAs(this Fleet fleet, string observer, TimeSpan now, params (string Node, NodeHealth Health)[] votes) =>
        fleet.Vote(new VoteSheet(observer, Whole: true, [.. votes.Select(vote => new NodeVote(vote.Node, vote.Health))]), now);

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
