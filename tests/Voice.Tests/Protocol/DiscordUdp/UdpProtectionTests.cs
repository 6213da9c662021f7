using System.Buffers.Binary;
using CsCheck;
using Voice.Protocol.DiscordUdp;
using Voice.Tests.Vectors;
using Xunit;
using Vector = Voice.Tests.Vectors.DiscordUdp;

namespace Voice.Tests.Protocol.DiscordUdp;

public class UdpProtectionTests
{
    public static TheoryData<EncryptionMode> Modes => [.. Enum.GetValues<EncryptionMode>()];

    public static TheoryData<int> RtpVectors => [.. Enumerable.Range(0, Vector.RtpVectors.Length)];

    public static TheoryData<int> RtcpVectors => [.. Enumerable.Range(0, Vector.RtcpVectors.Length)];

    [Theory]
    [MemberData(nameof(RtpVectors))]
    public void Rtp_vectors(int i)
    {
        var (mode, plain, header, counter, wire) = Vector.RtpVectors[i];
        // The suffix mode's nonce is the sender's to choose: this vector's is another's.
        if (mode != EncryptionMode.XSalsa20Poly1305Suffix) VectorRunner.Writing(wire, destination =>
        {
            using var protection = Counting(mode, counter);
            Assert.True(protection.TryProtect(plain.AsSpan(0, header), plain.AsSpan(header), destination, out var length));
            return length;
        });
        Assert.Equal(Hex.Of(plain), Read(mode, Vector.Key, wire));
    }

    [Theory]
    [MemberData(nameof(RtcpVectors))]
    public void Rtcp_vectors(int i)
    {
        var (mode, counter, wire) = Vector.RtcpVectors[i];
        VectorRunner.Writing(wire, destination =>
        {
            using var protection = Counting(mode, counter);
            Assert.True(protection.TryProtectRtcp(Vector.Rtcp, destination, out var length));
            return length;
        });
        Assert.Equal(Hex.Of(Vector.Rtcp), ReadRtcp(mode, Vector.Key, wire));
    }

    [Fact]
    public void A_captured_report_of_the_desktop_client() =>
        Assert.Equal(
            Hex.Of(Vector.CapturedRtcpPlain), ReadRtcp(EncryptionMode.AeadAes256GcmRtpSize, Vector.CapturedKey, Vector.CapturedRtcp));

    [Theory]
    [MemberData(nameof(Modes))]
    public void What_one_end_protects_the_other_reads_in_place(EncryptionMode mode)
    {
        using var client = new UdpProtection(mode, Vector.Key, UdpEnd.Client);
        using var server = new UdpProtection(mode, Vector.Key, UdpEnd.Server);
        Gen.Select(Gen.Bool, Gen.Int[0, 15], Gen.Int[-1, 20], Gen.Byte.Array[0, 1200]).Sample((fromClient, csrcs, words, payload) =>
        {
            var header = new byte[12 + csrcs * 4 + (words < 0 ? 0 : 4 + words * 4)];
            new Random(csrcs).NextBytes(header);
            header[0] = (byte)(0x80 | csrcs | (words < 0 ? 0 : 0x10));
            if (words >= 0) BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(12 + csrcs * 4 + 2), (ushort)words);
            var datagram = new byte[header.Length + payload.Length + client.Overhead];

            Assert.True((fromClient ? client : server).TryProtect(header, payload, datagram, out var length));
            Assert.Equal(datagram.Length, length);
            Assert.True((fromClient ? server : client).TryUnprotect(datagram, datagram, out length));

            Assert.Equal([.. header, .. payload], datagram[..length]);
        }, iter: 300, threads: 1);
    }

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    [InlineData(EncryptionMode.XSalsa20Poly1305)]
    public void A_packet_with_any_bit_changed_is_refused(EncryptionMode mode)
    {
        using var protection = new UdpProtection(mode, Vector.Key, UdpEnd.Client);
        var datagram = new byte[200];
        Assert.True(protection.TryProtect(Vector.RtpWithExtension.AsSpan(0, 20), Vector.RtpWithExtension.AsSpan(20), datagram, out var length));
        AssertRefusedWithAnyBitChanged(datagram.AsSpan(0, length), packet => protection.TryUnprotect(packet, new byte[200], out _));
    }

    /// <summary>Secretbox has no associated data.</summary>
    [Theory]
    [InlineData(EncryptionMode.XSalsa20Poly1305Lite)]
    [InlineData(EncryptionMode.XSalsa20Poly1305Suffix)]
    public void In_the_oldest_modes_that_holds_for_all_but_the_header(EncryptionMode mode)
    {
        using var protection = new UdpProtection(mode, Vector.Key, UdpEnd.Client);
        var datagram = new byte[200];
        Assert.True(protection.TryProtect(Vector.Rtp.AsSpan(0, 12), Vector.Rtp.AsSpan(12), datagram, out var length));
        AssertRefusedWithAnyBitChanged(datagram.AsSpan(0, length), packet => protection.TryUnprotect(packet, new byte[200], out _), from: 12);
    }

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    public void A_report_with_any_bit_changed_is_refused(EncryptionMode mode)
    {
        using var protection = new UdpProtection(mode, Vector.Key, UdpEnd.Client);
        var datagram = new byte[200];
        Assert.True(protection.TryProtectRtcp(Vector.Rtcp, datagram, out var length));
        AssertRefusedWithAnyBitChanged(datagram.AsSpan(0, length), packet => protection.TryUnprotectRtcp(packet, new byte[200], out _));
    }

    [Theory]
    [InlineData(EncryptionMode.AeadAes256GcmRtpSize)]
    [InlineData(EncryptionMode.AeadXChaCha20Poly1305RtpSize)]
    [InlineData(EncryptionMode.XSalsa20Poly1305Lite)]
    [InlineData(EncryptionMode.XSalsa20Poly1305Suffix)]
    public void No_suffix_comes_twice_over_rtp_and_rtcp_of_both_ends(EncryptionMode mode)
    {
        using var client = new UdpProtection(mode, Vector.Key, UdpEnd.Client);
        using var server = new UdpProtection(mode, Vector.Key, UdpEnd.Server);
        var seen = new HashSet<string>();
        var datagram = new byte[200];
        for (var i = 0; i < 1000; i++)
        {
            var end = i % 2 == 0 ? client : server;
            Assert.True(i % 3 == 0
                ? end.TryProtectRtcp(Vector.Rtcp, datagram, out var length)
                : end.TryProtect(Vector.Rtp.AsSpan(0, 12), Vector.Rtp.AsSpan(12), datagram, out length));
            Assert.True(seen.Add(Hex.Of(datagram.AsSpan(length - end.Overhead + 16, end.Overhead - 16))));
        }
        Assert.Equal((500u, 500u), (client.Sent, server.Sent));
    }

    [Fact]
    public void An_exhausted_key_protects_nothing_more()
    {
        foreach (var end in Enum.GetValues<UdpEnd>())
        {
            using var protection = new UdpProtection(EncryptionMode.AeadAes256GcmRtpSize, Vector.Key, end) { Sent = UdpProtection.CounterLimit - 1 };
            var datagram = new byte[200];

            Assert.True(protection.TryProtect(Vector.Rtp.AsSpan(0, 12), [], datagram, out _));

            Assert.True(protection.IsExhausted);
            Assert.False(protection.TryProtect(Vector.Rtp.AsSpan(0, 12), [], datagram, out var length));
            Assert.False(protection.TryProtectRtcp(Vector.Rtcp, datagram, out _));
            Assert.Equal((UdpProtection.CounterLimit, 0), (protection.Sent, length));
        }
    }

    /// <summary>In this protocol both directions have one key. Clients count from 0, big endian or little endian; the desktop client's
    /// reports from 0x80000000.</summary>
    [Fact]
    public void The_servers_suffixes_are_nobody_elses_for_a_billion_packets() =>
        Gen.Select(Gen.UInt[0, UdpProtection.CounterLimit - 1], Gen.UInt[0, UdpProtection.CounterLimit - 1]).Sample((server, client) =>
        {
            var suffix = SuffixOf(UdpEnd.Server, server);
            Assert.Equal(client, SuffixOf(UdpEnd.Client, client));
            foreach (var count in (uint[])[client, 0x8000_0000 | client])
            {
                Assert.NotEqual(BinaryPrimitives.ReverseEndianness(count), suffix);
            }
            Assert.NotEqual(client, suffix);
            Assert.True(server == client || suffix != SuffixOf(UdpEnd.Server, client));
            // Not by chance: the bytes that a small count leaves zero.
            Assert.Equal((1u, 0x40u), (suffix >> 31, suffix & 0x40));
        });

    private static uint SuffixOf(UdpEnd end, uint count)
    {
        using var protection = new UdpProtection(EncryptionMode.AeadAes256GcmRtpSize, Vector.Key, end) { Sent = count };
        var datagram = new byte[200];
        Assert.True(protection.TryProtect(Vector.Rtp.AsSpan(0, 12), [], datagram, out var length));
        return BinaryPrimitives.ReadUInt32BigEndian(datagram.AsSpan(length - 4));
    }

    [Fact]
    public void The_plain_mode_has_no_rtcp()
    {
        using var protection = new UdpProtection(EncryptionMode.XSalsa20Poly1305, Vector.Key, UdpEnd.Client);
        var datagram = new byte[200];

        Assert.False(protection.TryProtectRtcp(Vector.Rtcp, datagram, out _));
        Assert.False(protection.TryUnprotectRtcp(datagram, datagram, out _));
    }

    [Fact]
    public void A_key_has_32_bytes() =>
        Assert.Throws<ArgumentException>(() => new UdpProtection(EncryptionMode.AeadAes256GcmRtpSize, new byte[16], UdpEnd.Client));

    [Fact]
    public void Modes_are_offered_best_first_and_found_by_name_where_offered()
    {
        Assert.Equal(["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"], EncryptionModes.Current);
        foreach (var mode in Enum.GetValues<EncryptionMode>())
        {
            Assert.Equal(mode, EncryptionModes.Find(mode.Name(), EncryptionModes.WithLegacy));
            Assert.Equal(mode < EncryptionMode.XSalsa20Poly1305Lite ? mode : null, EncryptionModes.Find(mode.Name(), EncryptionModes.Current));
        }
    }

    /// <summary>A client whose next packet gets this counter.</summary>
    private static UdpProtection Counting(EncryptionMode mode, uint counter) => new(mode, Vector.Key, UdpEnd.Client) { Sent = counter };

    private static string Read(EncryptionMode mode, byte[] key, byte[] wire)
    {
        using var protection = new UdpProtection(mode, key, UdpEnd.Server);
        return VectorRunner.Reading(wire, datagram =>
        {
            var plain = new byte[datagram.Length];
            return protection.TryUnprotect(datagram, plain, out var length) ? Hex.Of(plain.AsSpan(0, length)) : null;
        });
    }

    private static string ReadRtcp(EncryptionMode mode, byte[] key, byte[] wire)
    {
        using var protection = new UdpProtection(mode, key, UdpEnd.Server);
        return VectorRunner.Reading(wire, datagram =>
        {
            var plain = new byte[datagram.Length];
            return protection.TryUnprotectRtcp(datagram, plain, out var length) ? Hex.Of(plain.AsSpan(0, length)) : null;
        });
    }

    private delegate bool Unprotects(ReadOnlySpan<byte> packet);

    private static void AssertRefusedWithAnyBitChanged(Span<byte> packet, Unprotects unprotects, int from = 0)
    {
        Assert.True(unprotects(packet));
        for (var i = from * 8; i < packet.Length * 8; i++)
        {
            packet[i / 8] ^= (byte)(1 << i % 8);
            Assert.False(unprotects(packet), $"bit {i}");
            packet[i / 8] ^= (byte)(1 << i % 8);
        }
    }
}
