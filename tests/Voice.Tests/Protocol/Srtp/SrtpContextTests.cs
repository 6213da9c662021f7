using CsCheck;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;
using Voice.Tests.Fakes;
using Xunit;

namespace Voice.Tests.Protocol.Srtp;

public class SrtpContextTests
{
    public static TheoryData<SrtpProfile> Profiles => [.. SrtpStreams.Profiles];

    [Theory]
    [MemberData(nameof(Profiles))]
    public void What_is_protected_is_unprotected(SrtpProfile profile)
    {
        var keys = Gen.Byte.Array[profile.KeyLength + profile.SaltLength];
        Gen.Select(keys, Gen.Byte.Array[0, 1300], Gen.ULong[0, SrtpContext.IndexLimit - 1], Gen.UInt, Gen.Byte[0, 14])
            .Sample((key, payload, index, ssrc, extension) =>
            {
                using var context = new SrtpContext(profile, key.AsSpan(0, profile.KeyLength), key.AsSpan(profile.KeyLength));
                var header = new byte[RtpHeader.MaxLength];
                var headerLength = RtpHeader.Write(header, true, 111, (ushort)index, 960, ssrc, extension, 0x85);

                var packet = new byte[1500];
                var length = context.Protect(header.AsSpan(0, headerLength), payload, index, packet);
                Assert.Equal(headerLength + payload.Length + profile.TagLength, length);

                var plain = new byte[1500];
                Assert.True(context.TryUnprotect(packet.AsSpan(0, length), headerLength, index, plain, out var plainLength));
                Assert.Equal([.. header[..headerLength], .. payload], plain[..plainLength]);

                // In place, both ways.
                Assert.True(context.TryUnprotect(packet.AsSpan(0, length), headerLength, index, packet, out plainLength));
                Assert.Equal([.. header[..headerLength], .. payload], packet[..plainLength]);
                length = context.Protect(packet.AsSpan(0, plainLength), headerLength, index, packet);
                Assert.True(context.TryUnprotect(packet.AsSpan(0, length), headerLength, index, plain, out plainLength));
                Assert.Equal([.. header[..headerLength], .. payload], plain[..plainLength]);
            }, iter: 200);
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void What_is_protected_as_rtcp_is_unprotected(SrtpProfile profile)
    {
        Gen.Select(Gen.Byte.Array[4, 1200], Gen.UInt[0, SrtpContext.RtcpIndexLimit - 1]).Sample((tail, index) =>
        {
            using var context = SrtpStreams.Context(profile);
            byte[] compound = [0x80, 201, 0, 1, .. tail];
            var packet = new byte[1500];
            var length = context.ProtectRtcp(compound, index, packet);
            Assert.Equal(compound.Length + profile.RtcpOverhead, length);
            Assert.True(context.TryUnprotectRtcp(packet.AsSpan(0, length), packet, out var plainLength));
            Assert.Equal(compound, packet[..plainLength]);
        }, iter: 200);
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Another_index_does_not_open_it(SrtpProfile profile)
    {
        using var context = SrtpStreams.Context(profile);
        var packet = SrtpStreams.Packet(context, ssrc: 7, index: 0x1_0005);
        Assert.True(context.TryUnprotect(packet, 12, 0x1_0005, new byte[200], out _));
        Assert.False(context.TryUnprotect(packet, 12, 0x0_0005, new byte[200], out _));
        Assert.False(context.TryUnprotect(packet, 12, SrtpContext.IndexLimit | 0x1_0005, new byte[200], out _));
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Both_directions_of_the_keying_material_differ_and_fit(SrtpProfile profile)
    {
        var exported = Enumerable.Range(0, profile.KeyingMaterialLength).Select(i => (byte)i).ToArray();
        var material = new SrtpKeyingMaterial(profile, exported);
        // RFC 5764 section 4.2: client key, server key, client salt, server salt.
        byte[] split = [.. material.ClientKey, .. material.ServerKey, .. material.ClientSalt, .. material.ServerSalt];
        Assert.Equal(exported, split);

        using var client = material.CreateClientContext();
        using var server = material.CreateServerContext();
        var packet = SrtpStreams.Packet(client, ssrc: 7, index: 5);
        Assert.False(server.TryUnprotect(packet, 12, 5, new byte[200], out _));
        Assert.True(client.TryUnprotect(packet, 12, 5, new byte[200], out _));
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Ten_thousand_packets_allocate_nothing(SrtpProfile profile)
    {
        using var sender = SrtpStreams.Context(profile);
        using var receiver = new SrtpReceiver(SrtpStreams.Context(profile));
        var header = new byte[RtpHeader.MaxLength];
        byte[] payload = new byte[100], packet = new byte[200], plain = new byte[200], report = new byte[52];
        report[0] = 0x80;

        var refused = 0;
        void Exchange(ulong first, int count)
        {
            for (var index = first; index < first + (ulong)count; index++)
            {
                var headerLength = RtpHeader.Write(header, false, 111, (ushort)index, (uint)index * 960, 7, 1, 0x85);
                var length = sender.Protect(header.AsSpan(0, headerLength), payload, index, packet);
                if (receiver.TryUnprotect(packet.AsSpan(0, length), plain, out _, out _) != SrtpResult.Ok) refused++;
                length = sender.ProtectRtcp(report, (uint)index, packet);
                if (receiver.TryUnprotectRtcp(packet.AsSpan(0, length), plain, out _) != SrtpResult.Ok) refused++;
            }
        }

        Exchange(0, 100);
        var next = 100ul;
        Assert.Equal(0, Allocated.ByUndisturbed(() => Exchange((next += 10_000) - 10_000, 10_000)));
        Assert.Equal(0, refused);
    }
}
