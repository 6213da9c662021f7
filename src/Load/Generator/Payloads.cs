using System.Buffers.Binary;
using System.Reflection;
using Voice.Protocol.Ogg;

namespace Voice.Load.Generator;

/// <summary>What talkers say: the frames of the sample file, or its bytes in pieces of one length. The last 16 bytes of each packet are a stamp, so
/// that a listener knows which packet it has and when it was sent; the server never looks inside.</summary>
internal sealed class Payloads
{
    private const int StampLength = 16;
    private const int CounterBits = 40; // of a stamp's first word; above it is the talker's number

    private readonly byte[][] frames;

    private Payloads(byte[][] frames)
    {
        this.frames = frames;
        AverageLength = (int)frames.Average(frame => frame.Length);
        MaxLength = frames.Max(frame => frame.Length);
    }

    /// <summary>Shortest payload there can be: an Opus byte and the stamp.</summary>
    public const int MinLength = 1 + StampLength;

    public int AverageLength { get; }

    public int MaxLength { get; }

    /// <summary>The sample as it was encoded, frame by frame.</summary>
    public static Payloads OfFrames() => new([.. Sample().Where(frame => frame.Length >= MinLength)]);

    /// <summary>The sample's bytes, each packet of the same length.</summary>
    public static Payloads OfLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, MinLength);
        var toc = Sample()[0][0];
        var bytes = Sample().SelectMany(frame => frame[1..]);
        return new([.. bytes.Chunk(length - 1).Where(piece => piece.Length == length - 1).Select(piece => (byte[])[toc, .. piece])]);
    }

    /// <summary>Writes a talker's packet.</summary>
    /// <param name="talker">Its participant's number.</param>
    /// <param name="destination">At least <see cref="MaxLength"/>.</param>
    /// <param name="now">Nanoseconds.</param>
    /// <returns>Bytes written.</returns>
    public int Write(Span<byte> destination, int talker, ulong counter, long now)
    {
        var frame = FrameOf(counter);
        frame.AsSpan(0, frame.Length - StampLength).CopyTo(destination);
        var stamp = destination.Slice(frame.Length - StampLength, StampLength);
        BinaryPrimitives.WriteUInt64LittleEndian(stamp, (ulong)talker << CounterBits | counter);
        BinaryPrimitives.WriteInt64LittleEndian(stamp[8..], now);
        return frame.Length;
    }

    /// <summary>False if this is not a packet that <see cref="Write"/> made.</summary>
    public bool TryRead(ReadOnlySpan<byte> payload, out int talker, out ulong counter, out long sent)
    {
        (talker, counter, sent) = (0, 0, 0);
        if (payload.Length < MinLength) return false;
        var stamp = payload[^StampLength..];
        counter = BinaryPrimitives.ReadUInt64LittleEndian(stamp);
        (talker, counter) = ((int)(counter >> CounterBits), counter & (1UL << CounterBits) - 1);
        sent = BinaryPrimitives.ReadInt64LittleEndian(stamp[8..]);
        var frame = FrameOf(counter);
        return payload.Length == frame.Length && payload[..^StampLength].SequenceEqual(frame.AsSpan(0, frame.Length - StampLength));
    }

    private byte[] FrameOf(ulong counter) => frames[counter % (ulong)frames.Length];

    private static List<byte[]> Sample()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("speech.opus")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var reader = new OggOpusReader();
        reader.Append(bytes);
        reader.Complete();
        var packets = new List<byte[]>();
        while (reader.TryRead(out var packet) == OggReadResult.Packet) packets.Add(packet.Data.ToArray());
        return packets;
    }
}
