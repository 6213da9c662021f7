namespace Voice.Protocol.Ogg;

/// <summary>How long an Opus packet plays, from its first bytes (RFC 6716 section 3). Nothing is decoded.</summary>
public static class OpusToc
{
    /// <summary>Samples a second of Opus' own clock, which RTP (RFC 7587) and Ogg (RFC 7845) count in.</summary>
    public const int SampleRate = 48_000;

    /// <summary>A packet plays 120 ms at most (RFC 6716 section 3.2.5, requirement R5).</summary>
    public const int MaxSamples = SampleRate * 120 / 1000;

    /// <summary>20 ms of silence.</summary>
    public static ReadOnlySpan<byte> SilenceFrame => [0xF8, 0xFF, 0xFE];

    /// <summary>So many of <see cref="SilenceFrame"/> in a row say that the talker pauses (protocol/udp-media.md section 4).</summary>
    public const int SilenceFrames = 5;

    /// <summary>Samples of <see cref="SilenceFrame"/>.</summary>
    public const int SilenceSamples = SampleRate * 20 / 1000;

    /// <summary>Samples at 48 kHz; false for a packet that no encoder makes.</summary>
    public static bool TryGetSamples(ReadOnlySpan<byte> packet, out int samples)
    {
        samples = 0;
        if (packet.IsEmpty) return false;
        var frames = (packet[0] & 3) switch // section 3.2, code
        {
            0 => 1,
            3 when packet.Length < 2 => 0,
            3 => packet[1] & 0x3F,
            _ => 2,
        };
        samples = frames * FrameSamples(packet[0] >> 3);
        return frames > 0 && samples <= MaxSamples;
    }

    // Table 2: SILK in 10, 20, 40, 60 ms; hybrid in 10, 20; CELT in 2.5, 5, 10, 20.
    private static int FrameSamples(int config) => config switch
    {
        < 12 => (config & 3) switch { 0 => 480, 1 => 960, 2 => 1920, _ => 2880 },
        < 16 => 480 << (config & 1),
        _ => 120 << (config & 3),
    };
}
