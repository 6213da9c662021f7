using System.Net;
using System.Text;
using CsCheck;
using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;
using Voice.Tests.Vectors;
using Xunit;
using Vector = Voice.Tests.Vectors.DiscordUdp;

namespace Voice.Tests.Protocol.DiscordUdp;

public class IpDiscoveryTests
{
    [Fact]
    public void Request_vector()
    {
        VectorRunner.Writing(Vector.DiscoveryRequest, destination => IpDiscovery.WriteRequest(destination, 12345));
        Assert.Equal("12345", VectorRunner.Reading(Vector.DiscoveryRequest, datagram =>
            IpDiscovery.TryParseRequest(datagram, out var request) ? $"{request.Ssrc}" : null));
    }

    [Fact]
    public void Response_vector()
    {
        VectorRunner.Writing(Vector.DiscoveryResponse, destination => IpDiscovery.WriteResponse(destination, 12345, [203, 0, 113, 7], 50004));
        Assert.Equal("12345 203.0.113.7:50004", VectorRunner.Reading(Vector.DiscoveryResponse, datagram =>
            IpDiscovery.TryParseResponse(datagram, out var response)
                ? $"{response.Ssrc} {Encoding.ASCII.GetString(response.Address)}:{response.Port}" : null));
    }

    [Fact]
    public void A_request_is_no_response_and_the_reverse()
    {
        Assert.False(IpDiscovery.TryParseResponse(Vector.DiscoveryRequest, out _));
        Assert.False(IpDiscovery.TryParseRequest(Vector.DiscoveryResponse, out _));
    }

    [Fact]
    public void Every_address_is_written_so_that_it_can_be_read()
    {
        Gen.Select(Gen.OneOf(Gen.Byte.Array[4], Gen.Byte.Array[16]), Gen.UShort, Gen.UInt).Sample((address, port, ssrc) =>
        {
            Span<byte> datagram = stackalloc byte[IpDiscovery.Length];
            IpDiscovery.WriteResponse(datagram, ssrc, address, port);
            Assert.True(IpDiscovery.TryParseResponse(datagram, out var response));
            Assert.Equal(new IPAddress(address), IPAddress.Parse(Encoding.ASCII.GetString(response.Address)));
            Assert.Equal((ssrc, port), (response.Ssrc, response.Port));
        });
    }

    [Fact]
    public void An_address_that_fills_its_field_is_read_whole()
    {
        var datagram = (byte[])Vector.DiscoveryResponse.Clone();
        datagram.AsSpan(8, 64).Fill((byte)'1');
        Assert.True(IpDiscovery.TryParseResponse(datagram, out var response));
        Assert.Equal(64, response.Address.Length);
    }

    [Fact]
    public void A_ping_is_answered_with_its_sequence()
    {
        var request = Hex.Bytes("1337cafe 00000007");
        var response = Hex.Bytes("1337f00d 00000007");
        VectorRunner.Writing(request, destination => NativePing.WriteRequest(destination, 7));
        VectorRunner.Writing(response, destination => NativePing.WriteResponse(destination, 7));
        Assert.Equal("7", VectorRunner.Reading(request, datagram => NativePing.TryReadRequest(datagram, out var sequence) ? $"{sequence}" : null));
        Assert.Equal("7", VectorRunner.Reading(response, datagram => NativePing.TryReadResponse(datagram, out var sequence) ? $"{sequence}" : null));
    }

    [Fact]
    public void A_keepalive_counts_in_little_endian() =>
        VectorRunner.Writing(Hex.Bytes("02010000 00000000"), destination => Keepalive.Write(destination, 0x0102));

    public static TheoryData<string, PacketKind> Datagrams => new()
    {
        { Hex.Of(Vector.DiscoveryRequest), PacketKind.IpDiscovery },
        { Hex.Of(Vector.DiscoveryResponse), PacketKind.Stun }, // no STUN either: STUN's own check says so
        { Hex.Of([.. Vector.DiscoveryRequest, 0]), PacketKind.Stun },
        { "1337cafe00000001", PacketKind.Ping },
        { "1337f00d00000001", PacketKind.Keepalive },
        { "0100000000000000", PacketKind.Keepalive },
        { "8078000100000000", PacketKind.Keepalive },
        { "c90000000000000000", PacketKind.Keepalive },
        { "c80000000000000000", PacketKind.Unknown },
        { "c9000000000000000000", PacketKind.Unknown },
        { Hex.Of(Vector.Rtp), PacketKind.Rtp },
        { Hex.Of(Vector.Rtcp), PacketKind.Rtcp },
    };

    [Theory]
    [MemberData(nameof(Datagrams))]
    public void Every_kind_of_datagram_is_told_apart(string datagram, PacketKind kind) => Assert.Equal(kind, Demux.Classify(Hex.Bytes(datagram)));
}
