using System.Buffers.Binary;

namespace Voice.Protocol.Rtp;

/// <summary>Writes the headers that we send: no CSRCs, no padding, at most the audio level as extension.</summary>
public static class RtpHeader
{
    public const int FixedLength = 12;

    /// <summary>The longest header that <c>Write</c> makes.</summary>
    public const int MaxLength = FixedLength + 8;

    /// <param name="payloadType">0 to 127.</param>
    /// <returns>Bytes written: <see cref="FixedLength"/>.</returns>
    public static int Write(Span<byte> destination, bool marker, byte payloadType, ushort sequence, uint timestamp, uint ssrc)
    {
        destination = destination[..FixedLength];
        destination[0] = 0x80;
        destination[1] = (byte)(payloadType & 0x7F | (marker ? 0x80 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], ssrc);
        return FixedLength;
    }

    /// <summary>As above, with the audio level (RFC 6464) in a one-byte extension block (RFC 8285 section 4.2).</summary>
    /// <param name="audioLevelId">The receiver's extension id, 1 to 14; 0 writes no extension.</param>
    /// <param name="audioLevel">The element as on the wire: voice activity in the top bit, then -dBov, 0 (loudest) to 127 (silence).</param>
    /// <returns>Bytes written: 12, or 20 with the extension.</returns>
    public static int Write(
        Span<byte> destination, bool marker, byte payloadType, ushort sequence, uint timestamp, uint ssrc, byte audioLevelId, byte audioLevel)
    {
        if (audioLevelId == 0) return Write(destination, marker, payloadType, sequence, timestamp, ssrc);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(audioLevelId, (byte)14);

        destination = destination[..MaxLength];
        Write(destination, marker, payloadType, sequence, timestamp, ssrc);
        destination[0] |= 0x10;
        BinaryPrimitives.WriteUInt16BigEndian(destination[12..], RtpExtensions.OneByteProfile);
        BinaryPrimitives.WriteUInt16BigEndian(destination[14..], 1); // words of body
        destination[16] = (byte)(audioLevelId << 4); // low bits: length - 1
        destination[17] = audioLevel;
        destination[18..].Clear();
        return MaxLength;
    }
}
