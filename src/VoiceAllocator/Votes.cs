namespace Voice.VoiceAllocator;

/// <summary>What all observers say. Who says nothing about a node has no say about it; of those who do, the majority counts.</summary>
internal sealed class Votes
{
    /// <summary>An observer that has said nothing for this long is gone, and what it said with it.</summary>
    public static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(2.5);

    private readonly Dictionary<string, Sheet> sheets = [];

    public void Put(VoteSheet sheet, TimeSpan now)
    {
        if (!sheets.TryGetValue(sheet.Observer, out var kept)) sheets[sheet.Observer] = kept = new Sheet();
        kept.PutAt = now;
        if (sheet.Whole) kept.Healths.Clear();
        foreach (var vote in sheet.Votes)
        {
            if (vote.Health is { } health) kept.Healths[vote.NodeId] = health;
            else kept.Healths.Remove(vote.NodeId);
        }
    }

    /// <summary>Observers that fell silent, each once.</summary>
    public string[] TakeGone(TimeSpan now)
    {
        string[] gone = [.. sheets.Where(one => now - one.Value.PutAt >= GoodFor).Select(one => one.Key)];
        foreach (var observer in gone) sheets.Remove(observer);
        return gone;
    }

    /// <summary>Null: nobody says anything.</summary>
    public NodeHealth? Verdict(string node, TimeSpan now)
    {
        Span<int> counts = stackalloc int[6];
        var all = 0;
        foreach (var sheet in sheets.Values)
        {
            if (now - sheet.PutAt >= GoodFor || !sheet.Healths.TryGetValue(node, out var health)) continue;
            counts[(int)health]++;
            all++;
        }

        if (all == 0) return null;
        var (dead, grey) = (counts[(int)NodeHealth.Dead], counts[(int)NodeHealth.Grey]);
        if ((dead + grey) * 2 > all) return grey > dead ? NodeHealth.Grey : NodeHealth.Dead;
        if ((dead + grey + counts[(int)NodeHealth.Mute]) * 2 > all) return NodeHealth.Mute;
        if (counts[(int)NodeHealth.Healthy] * 2 >= all) return NodeHealth.Healthy;
        return counts[(int)NodeHealth.Probation] > counts[(int)NodeHealth.Suspect] ? NodeHealth.Probation : NodeHealth.Suspect;
    }

    private sealed class Sheet
    {
        public TimeSpan PutAt { get; set; }

        public Dictionary<string, NodeHealth> Healths { get; } = [];
    }
}
