using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Tests.VoiceAllocator;

internal static class Nodes
{
    public static NodeReport Report(double utilisation = 0, bool mediaReady = true, params HostedGuild[] hosted) =>
        new(utilisation, 0, 0, 0, 0, mediaReady, hosted);

    public static NodeIdentity Identity(string id, string region = "local", string incarnation = "1") =>
        new(id, incarnation, region, $"{id}.example:2048");

    /// <summary>A node that is linked and has just reported.</summary>
    public static VoiceNode Make(string id, double utilisation = 0, string region = "local", TimeSpan now = default)
    {
        var node = new VoiceNode(Identity(id, region));
        node.Health.LinkUp("link", now);
        node.Report(Report(utilisation), now);
        return node;
    }

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
