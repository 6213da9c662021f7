using System.Security.Cryptography;
using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>Numbers what one client sends: sequence numbers without gaps, timestamps that go on through pauses (RFC 7587 section 4.1). One
/// thread at a time.</summary>
internal sealed class TalkStream
{
    /// <summary>Later than this while talking, a packet comes after a gap.</summary>
    private static readonly TimeSpan MaxLate = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private ulong index = (ulong)RandomNumberGenerator.GetInt32(1, 0x7FFF); // RFC 3711 section 3.3.1: below 2^15, so that no loss makes receivers misjudge the rollover
    private uint timestamp = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
    private TimeSpan? playedUntil;

    /// <summary>Between the first packet and <see cref="Pause"/>.</summary>
    public bool Talking { get; private set; }

    /// <summary>The next packet's numbers.</summary>
    /// <param name="samples">How long it plays, at 48 kHz.</param>
    /// <param name="now">On one clock for all calls.</param>
    public (ulong Index, uint Timestamp, bool Marker) Next(int samples, TimeSpan now)
    {
        var first = !Talking;
        playedUntil ??= now;
        var late = now - playedUntil.Value;
        if (late > (first ? TimeSpan.Zero : MaxLate))
        {
            // Whole frames: some receivers count time in them. The rest counts with the next gap.
            var frames = late.Ticks / FrameTime.Ticks;
            timestamp += (uint)(frames * OpusToc.SilenceSamples);
            playedUntil += frames * FrameTime;
        }

        playedUntil += TimeSpan.FromSeconds((double)samples / OpusToc.SampleRate);
        Talking = true;
        var numbers = (index++, timestamp, first);
        timestamp += (uint)samples;
        return numbers;
    }

    /// <summary>Numbers of a packet that says nothing.</summary>
    public (ulong Index, uint Timestamp) Nothing() => (index++, timestamp);

    public void Pause() => Talking = false;
}
