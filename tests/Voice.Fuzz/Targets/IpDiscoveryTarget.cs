using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Rtp;
using static Voice.Fuzz.BrokenPromiseException;

namespace Voice.Fuzz;

/// <summary>What is neither media nor STUN nor DTLS: discovery, keepalives and pings.</summary>
internal sealed class IpDiscoveryTarget : IFuzzTarget
{
    public void Run(ReadOnlySpan<byte> input)
    {
        var kind = Demux.Classify(input);
        Unless(Enum.IsDefined(kind), "every datagram is of some kind");

        var isRequest = IpDiscovery.TryParseRequest(input, out var request);
        Unless(isRequest == (kind == PacketKind.IpDiscovery), "a discovery is told from all else");
        if (isRequest) Unless(request.Address.Length <= 64, "the address is within its field");
        if (IpDiscovery.TryParseResponse(input, out var response))
        {
            Unless(!isRequest && input.Length == IpDiscovery.Length, "an answer is no request, and as long");
            Unless(response.Address.Length <= 64 && !response.Address.Contains((byte)0), "the address ends where it ends");
        }

        Unless(NativePing.TryReadRequest(input, out _) == (kind == PacketKind.Ping), "a ping is told from a keepalive");
        if (kind is PacketKind.Ping or PacketKind.Keepalive) Unless(input.Length is 8 or 9, "keepalives are short");
    }
}
