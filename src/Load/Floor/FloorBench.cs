using System.Net;
using Voice.Load.Scenarios;
using Voice.Load.Server;
using Voice.Protocol.Rtp;

namespace Voice.Load.Floor;

/// <summary>Measures the floor against the very sockets that the media process served, in the same loop that reads them, on its core.</summary>
internal static class FloorBench
{
    /// <summary>Less than this read means that it is not sending that was measured.</summary>
    private const double MustArrive = 0.99;

    private const int TagLength = 16;
    private const int Attempts = 3;

    private static readonly string[] Methods = ["sendto", "sendmmsg", "send"];

    /// <summary>Until the media process has no more to report of who talked last: its reports would find nobody.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    /// <param name="rooms">Those that talked; nobody does any more.</param>
    public static async Task<FloorResult> MeasureAsync(TestBed bed, IReadOnlyList<Room> rooms, bool quick, CancellationToken cancel)
    {
        await Task.Delay(Quiet, cancel);
        // Room by room, as a server comes to them, and the rooms as their talkers' packets come: in no order.
        var order = rooms.ToArray();
        new Random(7).Shuffle(order);
        var listeners = order.SelectMany(room => room.Participants).Where(participant => participant.Talker is null).ToArray();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.Socket.LocalEndPoint!).Port).ToArray();
        var length = RtpHeader.MaxLength + bed.Payloads.AverageLength + TagLength;
        var address = bed.Local;

        bed.Generator.KeepsAlive = false;
        await using var loop = await FloorLoop.StartAsync(address, length, ports, bed.Server.Cores[..1], cancel);
        foreach (var listener in listeners) listener.Connect(new IPEndPoint(address, loop.Port));
        try
        {
            var results = new Dictionary<string, double>();
            foreach (var method in Methods)
            {
                if (await Measure(bed, loop, method, quick ? 0.3 : 1, cancel) is { } cost) results.Add(method, cost);
            }

            if (results.Count == 0) throw new LoadException("the floor cannot be measured: the generator does not read what one core can send");
            var best = results.MinBy(result => result.Value);
            return new(best.Value, $"{best.Key} ({loop.Built})", results);
        }
        finally
        {
            foreach (var listener in listeners) listener.Connect(listener.Server);
            bed.Generator.KeepsAlive = true;
        }
    }

    /// <summary>Microseconds for a send; null if what was sent did not arrive, at no pace.</summary>
    private static async Task<double?> Measure(TestBed bed, FloorLoop loop, string method, double seconds, CancellationToken cancel)
    {
        await loop.Run(method, seconds / 5, 0, cancel); // warm
        var pace = 0L;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var before = await Read(bed, cancel);
            var (sent, failed, cpu, time) = await loop.Run(method, seconds, pace, cancel);
            var arrived = await Read(bed, cancel) - before;
            if (failed == 0 && arrived >= MustArrive * sent) return cpu / 1e3 / sent;
            pace = (long)(0.9 * arrived / (time / 1e9));
        }

        return null;
    }

    /// <summary>What was read so far, when nothing more comes.</summary>
    private static async Task<long> Read(TestBed bed, CancellationToken cancel)
    {
        while (true)
        {
            var before = bed.Generator.FloorPackets;
            await Task.Delay(20, cancel);
            if (bed.Generator.FloorPackets == before) return before;
        }
    }
}
