using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>Which media worker serves a participant. A channel begins on the worker with the least to do, and stays there as long as that one can
/// feed it; whoever comes then goes to the least busy of the others, so that one stage is not bounded by one core.</summary>
/// <param name="channelPeople">Of one channel that a worker serves before others help.</param>
/// <param name="maxPeople">Of all channels together that count as a full worker.</param>
internal sealed class WorkerPlacement(int workers, int channelPeople, int maxPeople)
{
    /// <summary>A worker that is busy for this share of the time is full: what is left is for those it has, when they all talk.</summary>
    public const double FullBusy = 0.7;

    /// <summary>Work that lasts counts, and a burst of a second does not.</summary>
    private static readonly TimeSpan AveragedOver = TimeSpan.FromSeconds(5);

    private readonly int[] people = new int[workers];
    private readonly double[] busy = new double[workers];
    private readonly double[] busySeconds = new double[workers];
    private readonly Dictionary<RoomId, int[]> channels = [];
    private TimeSpan reported;

    /// <summary>People on each worker.</summary>
    public IReadOnlyList<int> People => people;

    /// <summary>Channels with somebody in them.</summary>
    public int Channels => channels.Count;

    /// <summary>What the workers did since the last report; the media process counts anew when it does.</summary>
    public void Report(TimeSpan now, IReadOnlyList<WorkerReport> reports)
    {
        var seconds = (now - reported).TotalSeconds;
        if (reports.Count != workers || seconds <= 0) return;
        var weight = 1 - Math.Exp(-seconds / AveragedOver.TotalSeconds);
        for (var i = 0; i < workers; i++)
        {
            var share = Math.Clamp((reports[i].BusySeconds - busySeconds[i]) / seconds, 0, 1);
            busy[i] += weight * (share - busy[i]);
            busySeconds[i] = reports[i].BusySeconds;
        }

        reported = now;
    }

    /// <summary>The worker for one more in the channel.</summary>
    public int Enter(RoomId channel)
    {
        if (!channels.TryGetValue(channel, out var here)) channels.Add(channel, here = new int[workers]);
        var worker = Choose(here);
        here[worker]++;
        people[worker]++;
        return worker;
    }

    public void Leave(RoomId channel, int worker)
    {
        var here = channels[channel];
        here[worker]--;
        people[worker]--;
        if (here.All(count => count == 0)) channels.Remove(channel);
    }

    private int Choose(int[] here)
    {
        if (here.All(count => count == 0)) return LeastLoaded(worker => !IsFull(worker)) ?? LeastLoaded(_ => true)!.Value;
        return LeastLoaded(worker => here[worker] > 0 && here[worker] < channelPeople)
            ?? LeastLoaded(worker => here[worker] == 0 && !IsFull(worker))
            ?? LeastLoaded(_ => true)!.Value;
    }

    private bool IsFull(int worker) => busy[worker] >= FullBusy || people[worker] >= maxPeople;

    /// <summary>What it does, and what those who came since may bring: the two are each a share of what it can take.</summary>
    private double Load(int worker) => busy[worker] + (double)people[worker] / maxPeople;

    private int? LeastLoaded(Func<int, bool> wanted) =>
        Enumerable.Range(0, workers).Where(wanted).OrderBy(Load).Select(worker => (int?)worker).FirstOrDefault();
}
