using System.Security.Cryptography;
using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>Numbers what one client sends: sequence numbers without gaps, timestamps that go on through pauses (RFC 7587 section 4.1). One
/// thread at a time.</summary>
internal sealed class TalkStream
{
    private ulong index = (ulong)RandomNumberGenerator.GetInt32(1, 0x7FFF); // RFC 3711 section 3.3.1: below 2^15, so that no loss makes receivers misjudge the rollover
    private uint timestamp = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
    private TimeSpan playedUntil;

    /// <summary>Between the first packet and <see cref="Pause"/>.</summary>
    public bool Talking { get; private set; }

    /// <summary>The next packet's numbers.</summary>
    /// <param name="samples">How long it plays, at 48 kHz.</param>
    /// <param name="now">On one clock for all calls.</param>
    public (ulong Index, uint Timestamp, bool Marker) Next(int samples, TimeSpan now)
    {
        var first = !Talking;
        if (first && playedUntil != default && now > playedUntil)
        {
            // Whole frames: some receivers count time in them.
            timestamp += (uint)((long)((now - playedUntil).TotalSeconds * OpusToc.SampleRate) / OpusToc.SilenceSamples * OpusToc.SilenceSamples);
        }

        if (first || now > playedUntil) playedUntil = now;
        playedUntil += TimeSpan.FromSeconds((double)samples / OpusToc.SampleRate);
        Talking = true;
        var numbers = (index++, timestamp, first);
        timestamp += (uint)samples;
        return numbers;
    }

    public void Pause() => Talking = false;
}
