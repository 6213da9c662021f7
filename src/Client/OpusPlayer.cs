using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>Sends Opus packets at their times. The schedule is absolute, so that what the clock is late with once does not add up; after a longer
/// standstill it begins anew, instead of sending all that is due at once.</summary>
public static class OpusPlayer
{
    /// <summary>Later than this, the schedule moves.</summary>
    private static readonly TimeSpan MaxLate = TimeSpan.FromMilliseconds(200);

    /// <summary>Plays until there is no more, then ends talking.</summary>
    /// <param name="played">Told after each packet how much has been played.</param>
    /// <param name="time">Of the schedule; the system's unless given.</param>
    public static async Task PlayAsync(
        VoiceClient client, IAsyncEnumerable<OpusPacket> packets, Action<TimeSpan>? played = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        await SendAsync(async packet => await client.SendAsync(packet, cancellation), packets, played, time ?? TimeProvider.System, cancellation);
        await client.PauseAsync(cancellation);
    }

    internal static async Task SendAsync(
        Func<ReadOnlyMemory<byte>, ValueTask> send, IAsyncEnumerable<OpusPacket> packets, Action<TimeSpan>? played, TimeProvider time, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var due = TimeSpan.Zero;
        var total = TimeSpan.Zero;
        await foreach (var packet in packets.WithCancellation(cancellation))
        {
            var late = time.GetElapsedTime(started) - due;
            if (late < TimeSpan.Zero)
            {
                await Task.Delay(-late, time, cancellation);
                late = time.GetElapsedTime(started) - due;
            }

            if (late > MaxLate) due += late;

            await send(packet.Data);
            var duration = TimeSpan.FromSeconds((double)packet.Samples / OpusToc.SampleRate);
            due += duration;
            total += duration;
            played?.Invoke(total);
        }
    }
}
