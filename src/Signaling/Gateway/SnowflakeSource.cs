using Voice.Protocol;

namespace Voice.Signaling.Gateway;

/// <summary>New ids: the time, then 10 bits that differ between processes by chance, then a counter, so that one process
/// makes no id twice and several hardly ever the same.</summary>
public static class SnowflakeSource
{
    private const int CounterBits = 12;

    private static readonly uint Process = (uint)Random.Shared.Next(1 << 10) << CounterBits;
    private static uint counter;

    public static Snowflake Next(DateTimeOffset now) =>
        Snowflake.At(now, Process | (Interlocked.Increment(ref counter) & ((1u << CounterBits) - 1)));
}
