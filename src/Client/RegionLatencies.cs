using System.Net;
using System.Security.Cryptography;
using Voice.Protocol.DiscordUdp;

namespace Voice.Client;

/// <summary>A region and where its latency can be measured, as `GET voice/regions` tells.</summary>
/// <param name="Echo">address:port that answers IP discovery over UDP.</param>
public sealed record VoiceRegionEcho(string Id, string Echo);

/// <summary>Measures the way to each region: a few IP discoveries (protocol/udp-media.md section 2), which every node answers to anybody with as many
/// bytes as it was asked with. The quickest answer counts.</summary>
public static class RegionLatencies
{
    private const int Attempts = 3;
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>Ids of the regions that answered, nearest first: for <see cref="VoiceClientOptions.PreferredRegions"/>.</summary>
    public static async Task<string[]> OrderAsync(IEnumerable<VoiceRegionEcho> regions, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        var measured = await Task.WhenAll(regions.Select(async region => (region.Id, Took: await MeasureAsync(region.Echo, time ?? TimeProvider.System, cancellation))));
        return [.. measured.Where(one => one.Took is not null).OrderBy(one => one.Took).Select(one => one.Id)];
    }

    /// <summary>Null: no answer.</summary>
    private static async Task<TimeSpan?> MeasureAsync(string echo, TimeProvider time, CancellationToken cancellation)
    {
        if (!IPEndPoint.TryParse(echo, out var server)) return null;
        var first = (uint)RandomNumberGenerator.GetInt32(int.MaxValue - Attempts);
        var sent = new long[Attempts];
        var best = long.MaxValue;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answers = 0;
        await using var socket = new DatagramSocket(server, datagram =>
        {
            if (!IpDiscovery.TryParseResponse(datagram, out var response) || response.Ssrc - first is not (< Attempts and var number)) return;
            best = Math.Min(best, time.GetTimestamp() - Volatile.Read(ref sent[number]));
            if (++answers == Attempts) all.TrySetResult();
        });
        var request = new byte[IpDiscovery.Length];
        for (var i = 0u; i < Attempts; i++)
        {
            IpDiscovery.WriteRequest(request, first + i);
            Volatile.Write(ref sent[i], time.GetTimestamp());
            socket.Send(request);
            await Task.Delay(Spacing, time, cancellation);
        }

        await Task.WhenAny(all.Task, Task.Delay(Patience, time, cancellation));
        return Volatile.Read(ref best) is < long.MaxValue and var ticks ? time.GetElapsedTime(0, ticks) : null;
    }
}
