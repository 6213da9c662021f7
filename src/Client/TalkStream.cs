using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>Times what one client sends: timestamps that go on through pauses (RFC 7587 section 4.1) and from one voice server to the next, so that
/// a packet that goes out over two is known by its timestamp. One thread at a time.</summary>
internal sealed class TalkStream
{
    /// <summary>Later than this while talking, a packet comes after a gap.</summary>
    private static readonly TimeSpan MaxLate = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private TimeSpan? playedUntil;

    /// <summary>Of the next packet, if it follows at once.</summary>
    public uint Timestamp { get; private set; } = (uint)Random.Shared.Next();

    /// <summary>Between the first packet and <see cref="Pause"/>.</summary>
    public bool Talking { get; private set; }

    /// <summary>The next packet's timestamp, and whether it is the first after a pause.</summary>
    /// <param name="samples">How long it plays, at 48 kHz.</param>
    /// <param name="now">On one clock for all calls.</param>
    public (uint Timestamp, bool Marker) Next(int samples, TimeSpan now)
    {
        var first = !Talking;
        playedUntil ??= now;
        var late = now - playedUntil.Value;
        if (late > (first ? TimeSpan.Zero : MaxLate))
        {
            // Whole frames: some receivers count time in them. The rest counts with the next gap.
            var frames = late.Ticks / FrameTime.Ticks;
            Timestamp += (uint)(frames * OpusToc.SilenceSamples);
            playedUntil += frames * FrameTime;
        }

        playedUntil += TimeSpan.FromSeconds((double)samples / OpusToc.SampleRate);
        Talking = true;
        var numbers = (Timestamp, first);
        Timestamp += (uint)samples;
        return numbers;
    }

    public void Pause() => Talking = false;
}
