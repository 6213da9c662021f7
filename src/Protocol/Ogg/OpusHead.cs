using System.Buffers.Binary;

namespace Voice.Protocol.Ogg;

/// <summary>The identification header (RFC 7845 section 5.1), of one or two channels: mapping family 0.</summary>
/// <param name="Channels">1 or 2.</param>
/// <param name="PreSkip">Samples at 48 kHz that a player decodes and does not play.</param>
/// <param name="InputSampleRate">Hz before encoding; 0 is unknown. Says nothing about decoding.</param>
/// <param name="OutputGain">To apply when playing, in 1/256 dB.</param>
public readonly record struct OpusHead(byte Channels, ushort PreSkip = 0, uint InputSampleRate = OpusToc.SampleRate, short OutputGain = 0)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 19;

    internal static ReadOnlySpan<byte> Magic => "OpusHead"u8;

    /// <summary>False for another mapping family, for no or more than two channels, or for a version that is not compatible.</summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, out OpusHead head)
    {
        head = default;
        if (packet.Length < Length || !packet.StartsWith(Magic)) return false;
        // The version's upper half must be 0; families other than 0 cannot be sent as one RTP stream.
        if (packet[8] is 0 or > 15 || packet[9] is 0 or > 2 || packet[18] != 0) return false;
        head = new OpusHead(
            packet[9],
            BinaryPrimitives.ReadUInt16LittleEndian(packet[10..]),
            BinaryPrimitives.ReadUInt32LittleEndian(packet[12..]),
            BinaryPrimitives.ReadInt16LittleEndian(packet[16..]));
        return true;
    }

    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    public void Write(Span<byte> destination)
    {
        destination = destination[..Length];
        Magic.CopyTo(destination);
        destination[8] = 1;
        destination[9] = Channels;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], PreSkip);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], InputSampleRate);
        BinaryPrimitives.WriteInt16LittleEndian(destination[16..], OutputGain);
        destination[18] = 0;
    }
}
