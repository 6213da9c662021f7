using Voice.Load.Generator;
using Voice.Load.Results;
using Voice.Load.Server;
using Voice.Protocol.Links;

namespace Voice.Load.Scenarios;

/// <summary>One window: what the media process did in it, and what came of what was sent in it. The two begin and end within milliseconds of each other.</summary>
/// <param name="ReceiverDrops">By the kernel, at the generator's sockets.</param>
internal sealed record Measurement(ServerWindow Server, Tally Tally, long ReceiverDrops)
{
    /// <summary>The generator could not keep its times: more than this share of packets were half a frame late.</summary>
    private const double TooLate = 0.01;

    private const double MaxOthers = 0.04;

    public double ForwardedPerSecond => Server.Forwarded / Server.Seconds;

    public double CpuUsPerForward => Server.Forwarded > 0 ? Server.CpuMicroseconds / Server.Forwarded : 0;

    /// <summary>Of the server's time, all cores together.</summary>
    public double CpuShare => Server.CpuMicroseconds / 1e6 / Server.Seconds;

    public double LossRatio => Tally.Expected > 0 ? 1 - (double)Tally.Received / Tally.Expected : 0;

    public Percentiles? AddedDelay => Percentiles(Server.AddedDelay);

    public Percentiles? EndToEnd => Percentiles(Tally.EndToEnd);

    public double BatchMean
    {
        get
        {
            var (packets, batches) = (0.0, 0L);
            var counts = Server.Batches;
            for (var i = 0; i < counts.Length; i++)
            {
                packets += (double)counts[i] * LogLinear.UpperBound(i);
                batches += counts[i];
            }

            return batches > 0 ? packets / batches : 0;
        }
    }

    /// <summary>Why the numbers are not to be trusted, whatever they are; null if they are.</summary>
    public string? Fault => Server.OthersShare > MaxOthers
        ? $"other processes used {Server.OthersShare:0%} of a core"
        : GeneratorFault;

    /// <summary>Why the numbers are the generator's and not the server's; null if they are not.</summary>
    private string? GeneratorFault =>
        Tally.SentLate > TooLate * Tally.Sent ? $"the generator was late with {100.0 * Tally.SentLate / Tally.Sent:0.0} % of its packets"
        : ReceiverDrops > 0 && ReceiverDrops > 0.1 * (Tally.Expected - Tally.Received) ? $"the generator did not read {ReceiverDrops} packets in time"
        : null;

    public Loss Loss
    {
        get
        {
            var listeners = Tally.Sent > 0 ? (double)Tally.Expected / Tally.Sent : 0;
            var (sender, kernel) = ((long)Math.Round(Tally.SendFailed * listeners), Math.Round(Server.KernelDrops * listeners));
            var wrong = Tally.Wrong + Tally.Refused;
            var drops = Server.Drops;
            var missing = Tally.Expected - Tally.Received - sender - (long)kernel - drops.Values.Sum() - ReceiverDrops - wrong;
            return new(Tally.Sent, Tally.Expected, Tally.Received, sender, kernel, drops, ReceiverDrops, wrong, Math.Max(0, missing), Tally.Duplicates);
        }
    }

    public static Percentiles? Percentiles(long[] counts) => counts.All(count => count == 0)
        ? null
        : new(LogLinear.Quantile(counts, 0.5), LogLinear.Quantile(counts, 0.99), LogLinear.Quantile(counts, 0.999), LogLinear.Quantile(counts, 1));
}
