using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Signaling.VoiceServer;

/// <summary>How busy the node is, from what its two processes used since the last look.</summary>
/// <param name="processors">That the two may use.</param>
/// <param name="maxSessions">Participants that count as full.</param>
internal sealed class NodeLoad(int processors, int maxSessions)
{
    /// <summary>Egress that counts as full: what a common network card carries, in bytes a second.</summary>
    private const double FullEgress = 1e9 / 8;

    private TimeSpan lastNow;
    private double lastCpu;
    private double lastBusy;
    private double cpuShare;
    private long lastBytes;

    /// <param name="nodeCpu">Processor time of this process since it started.</param>
    /// <param name="media">The media process's last word; its counters begin anew when it does.</param>
    public NodeReport Report(TimeSpan now, TimeSpan nodeCpu, MediaReport? media, NodeCore core)
    {
        var seconds = Math.Max((now - lastNow).TotalSeconds, 0.001);
        var cpu = nodeCpu.TotalSeconds + (media?.CpuSeconds ?? 0);
        var bytes = media?.BytesForwarded ?? 0;
        var weight = 1 - Math.Exp(-seconds / VoiceNode.LoadAveragedOver.TotalSeconds);
        // Workers are threads: they may be full while most of the machine is idle.
        var busy = media?.Workers.Sum(worker => worker.BusySeconds) ?? 0;
        var share = Math.Max((cpu - lastCpu) / processors, (busy - lastBusy) / Math.Max(media?.Workers.Length ?? 0, 1));
        cpuShare += weight * (Share(share / seconds) - cpuShare);
        var report = new NodeReport(
            cpuShare,
            Share((bytes - lastBytes) / seconds / FullEgress),
            Share((double)core.Sessions / maxSessions),
            core.Sessions,
            core.Guilds,
            core.IsMediaReady(now),
            core.Hosted());
        (lastNow, lastCpu, lastBusy, lastBytes) = (now, cpu, busy, bytes);
        return report;
    }

    private static double Share(double value) => Math.Clamp(value, 0, 1);
}
