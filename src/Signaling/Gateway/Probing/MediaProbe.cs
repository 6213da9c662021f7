using System.Net;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Links;

namespace Voice.Signaling.Gateway.Probing;

/// <summary>The hidden channel on one node: a part through each of its media workers.</summary>
internal sealed class MediaProbe : IDisposable
{
    private const int MaxWorkers = 256;

    private readonly WorkerProbe?[] workers;
    private TimeSpan lastSent;

    private MediaProbe(WorkerProbe?[] workers, TimeSpan first) => (this.workers, lastSent) = (workers, first);

    /// <summary>Those with an address that can be sent to.</summary>
    public IEnumerable<WorkerProbe> Workers => workers.OfType<WorkerProbe>();

    /// <summary>All that the node has.</summary>
    public int Count => workers.Length;

    /// <summary>How long the worker says nothing that was heard longest ago, of those that were ever heard.</summary>
    public TimeSpan SilentFor(TimeSpan now)
    {
        var longest = TimeSpan.Zero;
        foreach (var worker in workers)
        {
            if (now - worker?.HeardAt is { } silent && silent > longest) longest = silent;
        }

        return longest;
    }

    /// <summary>Null for an answer that makes no sense.</summary>
    /// <param name="from">When to take the first packets as sent: not those to all nodes at once.</param>
    /// <param name="canReach">Whether packets can be sent to such an address from here.</param>
    public static MediaProbe? Open(ProbeOpened opened, TimeSpan from, Func<IPEndPoint, bool> canReach)
    {
        if (opened.Workers is not { Length: > 0 and <= MaxWorkers } channels || !channels.All(IsSound)) return null;
        var workers = new WorkerProbe?[channels.Length];
        for (var i = 0; i < workers.Length; i++)
        {
            var addresses = channels[i].Addresses.Select(address => WireAddress.Read(address)).OfType<IPEndPoint>().Where(canReach).ToArray();
            if (addresses.Length > 0) workers[i] = new WorkerProbe(i, channels[i], addresses);
        }

        return new MediaProbe(workers, from);
    }

    /// <summary>It is of just these channels.</summary>
    public bool IsOf(ProbeOpened opened) =>
        opened.Workers is { } channels && channels.Length == workers.Length
        && workers.Zip(channels).All(pair => IsSound(pair.Second) && pair.First?.IsOf(pair.Second) != false);

    /// <summary>Sends a packet through each worker if the last ones were sent a period ago.</summary>
    /// <returns>Packets of talkers that were sent, and how many of those before are lost.</returns>
    public (int Sent, long Lost) Tick(TimeSpan now, TimeSpan period, ProbeSend send)
    {
        if (now - lastSent < period) return (0, 0);
        // On time as far as possible. But whoever was late does not make up for it with a burst.
        lastSent = now - lastSent < 2 * period ? lastSent + period : now;
        var (sent, lost) = (0, 0L);
        foreach (var worker in workers)
        {
            if (worker is null) continue;
            var lostBefore = worker.Lost;
            worker.Send(now, send);
            (sent, lost) = (sent + 1, lost + worker.Lost - lostBefore);
        }

        return (sent, lost);
    }

    public void Dispose()
    {
        foreach (var worker in Workers) worker.Dispose();
    }

    private static bool IsSound(ProbeChannel? channel) => channel is
    {
        Addresses: not null,
        Talker.SecretKey.Length: EncryptionModes.KeyLength,
        Listener.SecretKey.Length: EncryptionModes.KeyLength,
    };
}
