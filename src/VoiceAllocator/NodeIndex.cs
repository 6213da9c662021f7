namespace Voice.VoiceAllocator;

/// <summary>Nodes of one standing, by region, so that a placement looks at two and not at all.</summary>
internal sealed class NodeIndex
{
    private readonly Dictionary<string, List<VoiceNode>> regions = [];
    private readonly List<VoiceNode> all = [];

    public IReadOnlyList<VoiceNode> All => all;

    /// <summary>Every region that has or had a node of this standing.</summary>
    public IReadOnlyCollection<string> Regions => regions.Keys;

    public IReadOnlyList<VoiceNode> In(string region) => regions.GetValueOrDefault(region) ?? (IReadOnlyList<VoiceNode>)[];

    public void Add(VoiceNode node)
    {
        if (!regions.TryGetValue(node.Identity.Region, out var region)) regions[node.Identity.Region] = region = [];
        node.Place = (region.Count, all.Count);
        region.Add(node);
        all.Add(node);
    }

    public void Remove(VoiceNode node)
    {
        var region = regions[node.Identity.Region];
        var (inRegion, inAll) = node.Place;

        // The last one takes its place.
        var last = region[^1];
        region[inRegion] = last;
        last.Place = last.Place with { InRegion = inRegion };
        region.RemoveAt(region.Count - 1);
        last = all[^1];
        all[inAll] = last;
        last.Place = last.Place with { InAll = inAll };
        all.RemoveAt(all.Count - 1);
    }
}
