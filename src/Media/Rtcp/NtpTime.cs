namespace Voice.Media.Rtcp;

/// <summary>Our clock in RTCP's formats. RFC 3550 section 4 allows any that runs on: this is the monotonic one, not the
/// day's, so nobody learns our wall clock and no adjustment disturbs a round-trip time.</summary>
internal static class NtpTime
{
    /// <summary>32.32 fixed point seconds.</summary>
    public static ulong At(TimeSpan now) => (ulong)((UInt128)(ulong)now.Ticks * (1UL << 32) / TimeSpan.TicksPerSecond);

    /// <summary>The middle 32 bits: 1/65536 s.</summary>
    public static uint Compact(TimeSpan now) => (uint)(At(now) >> 16);

    public static TimeSpan FromCompact(uint units) => TimeSpan.FromTicks(units * TimeSpan.TicksPerSecond / 65536);

    /// <summary>A duration in ticks of an RTP clock.</summary>
    public static uint ToRtp(TimeSpan duration, uint clockRate) => (uint)(duration.Ticks * (Int128)clockRate / TimeSpan.TicksPerSecond);
}
