using Voice.Protocol.Links;

namespace Voice.Signaling.VoiceServer;

/// <summary>Whether strangers send the node more than it should stand: packets that nobody's key is behind. A flood takes the time that people's
/// packets need, and the node next to it may be spared, so the node asks to be drained until it ends. Told the time.</summary>
/// <param name="limit">Packets a second; 0: there is none.</param>
internal sealed class FloodWatch(int limit)
{
    /// <summary>A burst is no flood: a client that lost its session, a port scan.</summary>
    public static readonly TimeSpan RisesFor = TimeSpan.FromSeconds(3);

    /// <summary>Of less than half the limit. Floods pause, and moving everybody back and forth would be worse.</summary>
    public static readonly TimeSpan EndsAfter = TimeSpan.FromSeconds(60);

    /// <summary>By the media process's names. What can also happen to a client's own packets, such as an SSRC that nobody announced, is left out,
    /// and so is what the kernel dropped: nobody knows whose that was.</summary>
    internal static readonly string[] Reasons =
    [
        "Empty", "Oversized", "UnknownKind", "UnknownAddress", "PortZero",
        "StunMalformed", "StunNotRequest", "StunFingerprint", "StunUnknownUsername", "StunIntegrity", "StunReplayed",
        "DtlsUnexpected", "DtlsQueueFull", "DtlsPoolFull",
        "NotConnected", "SrtpMalformed", "SrtpAuthentication", "SrtpReplayed", "SrtpTooOld",
        "SrtcpMalformed", "SrtcpAuthentication", "SrtcpReplayed", "SrtcpTooOld",
        "UdpMalformed", "UdpAuthentication", "UdpReplayed", "UdpTooOld", "UdpRtcpAuthentication",
    ];

    private TimeSpan measuredAt;
    private long measured;
    private TimeSpan? since;

    public bool IsFlooded { get; private set; }

    /// <summary>Of strangers, since the report before the last.</summary>
    public double PacketsPerSecond { get; private set; }

    /// <returns>Whether it begins or ends with this.</returns>
    public bool Take(TimeSpan now, MediaReport report)
    {
        var seconds = (now - measuredAt).TotalSeconds;
        if (seconds <= 0) return false;
        // Answers to IP discovery are asked for by anybody, too.
        var total = report.DiscoveriesAnswered + Reasons.Sum(reason => report.Drops.GetValueOrDefault(reason));
        // Another media process counts from 0.
        PacketsPerSecond = (total >= measured ? total - measured : total) / seconds;
        var began = measuredAt;
        (measuredAt, measured) = (now, total);

        if (limit == 0) return false;
        var turns = IsFlooded ? PacketsPerSecond < limit / 2.0 : PacketsPerSecond >= limit;
        if (!turns)
        {
            since = null;
            return false;
        }

        since ??= began;
        if (now - since < (IsFlooded ? EndsAfter : RisesFor)) return false;
        (IsFlooded, since) = (!IsFlooded, null);
        return true;
    }
}
