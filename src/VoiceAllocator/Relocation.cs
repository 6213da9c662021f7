namespace Voice.VoiceAllocator;

/// <summary>Where the guilds of dead nodes go, all in one plan.</summary>
internal static class Relocation
{
    /// <summary>For each of the slots, which were on nodes that are gone, a node. The slots that cost most are placed first, each where it then is
    /// least to do: in the region that it wanted or was in, if that is full in the nearest that is not. What is placed counts at once.</summary>
    /// <param name="place">Puts a slot on a node.</param>
    /// <param name="random">Decides between nodes that are alike.</param>
    public static void Plan(
        IEnumerable<(HeldSlot Slot, double Cost)> lost, NodeIndex nodes, Neighbours neighbours, Random random, Action<HeldSlot, double, VoiceNode> place)
    {
        var heaps = new Dictionary<string, PriorityQueue<VoiceNode, (double Utilisation, int Assigned, int Tie)>>();
        var order = lost.OrderByDescending(one => one.Cost).ThenBy(one => one.Slot.Key.Guild).ThenBy(one => one.Slot.Key.Slot, StringComparer.Ordinal);
        foreach (var (slot, cost) in order)
        {
            var region = Choose(slot.Wanted ?? slot.Assignment.Region);
            if (region is null) return;
            var node = region.Dequeue();
            place(slot, cost, node);
            region.Enqueue(node, Load(node));
        }

        PriorityQueue<VoiceNode, (double, int, int)>? Choose(string wanted)
        {
            PriorityQueue<VoiceNode, (double, int, int)>? nearest = null;
            foreach (var region in neighbours.From(wanted, nodes.Regions))
            {
                if (!heaps.TryGetValue(region, out var heap))
                    heaps[region] = heap = new PriorityQueue<VoiceNode, (double, int, int)>(nodes.In(region).Select(node => (node, Load(node))));
                if (heap.Count == 0) continue;
                if (heap.Peek().Utilisation < Placement.Full) return heap;
                nearest ??= heap;
            }

            return nearest;
        }

        (double Utilisation, int Assigned, int Tie) Load(VoiceNode node) => (node.Utilisation, node.Assigned, random.Next());
    }
}
