using System.Buffers.Binary;
using System.Security.Cryptography;
using Voice.Protocol.DiscordUdp;

namespace Voice.Signaling.VoiceServer;

/// <summary>Every number and secret that a session is given. Nothing here repeats while the node lives.</summary>
/// <param name="fill">Cryptographically random bytes.</param>
internal sealed class Numbers(Action<Memory<byte>> fill)
{
    /// <summary>SSRCs for one client: audio, video, rtx, and what layers need later (design.md section 3.3).</summary>
    public const uint SsrcBlock = 8;

    private uint ssrc = FirstBlock(fill);
    private uint transport;

    /// <summary>The audio SSRC, first of a block. Half a thousand million blocks pass before the count is through.</summary>
    public uint NextSsrc() => checked(ssrc += SsrcBlock);

    public uint NextTransport() => checked(++transport);

    /// <summary>Unique by the transport's number; RFC 8445 section 5.3 wants 24 random bits, these are 40.</summary>
    public string IceUfrag(uint transport) => $"{transport:x}{Hex(5)}";

    /// <summary>192 random bits.</summary>
    public string IcePassword() => Hex(24);

    /// <summary>256 random bits: all that a UDP client's media is secret by.</summary>
    public byte[] SecretKey() => Random(EncryptionModes.KeyLength);

    public string MediaSessionId() => Hex(16);

    private string Hex(int bytes) => Convert.ToHexStringLower(Random(bytes));

    private byte[] Random(int bytes)
    {
        var random = new byte[bytes];
        fill(random);
        return random;
    }

    /// <summary>A multiple of 8 below 2^23, so that two nodes do not use the same numbers and captures stay readable.</summary>
    private static uint FirstBlock(Action<Memory<byte>> fill)
    {
        var random = new byte[4];
        fill(random);
        return (BinaryPrimitives.ReadUInt32BigEndian(random) % (1 << 20)) * SsrcBlock;
    }

    public static void FillSecurely(Memory<byte> bytes) => RandomNumberGenerator.Fill(bytes.Span);
}
