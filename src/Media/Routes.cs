using System.Diagnostics;
using Voice.Media.Net;
using Voice.Protocol.Rtp;
using Voice.Protocol.Stun;

namespace Voice.Media;

/// <summary>Whose a datagram is: its source address's once somebody authenticated from there; else it names its own session, and has
/// yet to prove it.</summary>
internal sealed class Routes
{
    private readonly Dictionary<RemoteEndPoint, Transport> byAddress = [];
    private readonly Dictionary<RemoteEndPoint, UdpTransport> byExpected = [];
    private readonly Dictionary<uint, UdpTransport> bySsrc = [];
    private readonly Dictionary<string, WebRtcTransport> byUsername = [];
    private readonly Dictionary<string, WebRtcTransport>.AlternateLookup<ReadOnlySpan<char>> usernames;

    public Routes() => usernames = byUsername.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Null if it was added, else what it has in common with another.</summary>
    public string? TryAdd(Transport transport)
    {
        switch (transport)
        {
            case WebRtcTransport browser:
                return byUsername.TryAdd(browser.Username, browser) ? null : "its ufrags are another's";
            case UdpTransport native:
                if (!bySsrc.TryAdd(native.Path.Ssrc, native)) return $"its SSRC {native.Path.Ssrc} is another's";
                if (native.Selected is { } expected) byExpected.TryAdd(expected.Remote, native);
                return null;
            default:
                throw new UnreachableException();
        }
    }

    public void Remove(Transport transport)
    {
        if (transport is WebRtcTransport browser) byUsername.Remove(browser.Username);
        if (transport is UdpTransport native) bySsrc.Remove(native.Path.Ssrc);
    }

    /// <summary>Null if the datagram has an addressee, else why not.</summary>
    public DropReason? Find(ReadOnlySpan<byte> datagram, PacketKind kind, in RemoteEndPoint from, out Transport? addressee)
    {
        addressee = byAddress.GetValueOrDefault(from);
        switch (kind)
        {
            // udp-media.md section 5.2: an address may come to be another native client's, but never a browser's.
            case PacketKind.Rtp when addressee is not WebRtcTransport:
                var ssrc = UdpTransport.SsrcOf(datagram);
                var native = addressee as UdpTransport;
                if (ssrc is { } named && native?.Path.Ssrc != named) addressee = bySsrc.GetValueOrDefault(named, native!);
                break;
            case PacketKind.Rtcp when addressee is null:
                if (UdpTransport.SenderOf(datagram) is { } sender && bySsrc.TryGetValue(sender, out var missing) && missing.IsMissing) addressee = missing;
                break;
            case PacketKind.Ping or PacketKind.Keepalive when addressee is null:
                addressee = byExpected.GetValueOrDefault(from);
                break;
            // RFC 8445 section 7.3: from an address that nobody validated only a check by one of our clients counts.
            case PacketKind.Stun when addressee is null:
                if (!StunMessage.TryParse(datagram, out var check)) return DropReason.StunMalformed;
                addressee = FindByUsername(check);
                return addressee is null ? DropReason.StunUnknownUsername : null;
        }
        return addressee is null ? DropReason.UnknownAddress : null;
    }

    /// <summary>For a datagram from there soon.</summary>
    /// <inheritdoc cref="Protocol.Crypto.AesGcmCipher.Preload"/>
    public int Preload(in RemoteEndPoint from) => byAddress.TryGetValue(from, out var transport) ? transport.PreloadIngress() : 0;

    /// <summary>Datagrams from the address are the browser's from now on.</summary>
    public void Claim(in RemoteEndPoint address, WebRtcTransport transport)
    {
        byAddress.TryAdd(address, transport);
        Debug.Assert(byAddress[address] == transport, "while it is another's, that one gets what comes from it");
    }

    /// <summary>Datagrams from the address are the native client's from now on, and no longer another's.</summary>
    public void Move(in RemoteEndPoint address, UdpTransport transport)
    {
        if (byAddress.TryGetValue(address, out var owner) && owner != transport)
        {
            Debug.Assert(owner is UdpTransport, "a browser's address stays a browser's");
            ((UdpTransport)owner).Lose(address);
        }
        byAddress[address] = transport;
    }

    public void Release(in RemoteEndPoint address, Transport transport)
    {
        if (byAddress.TryGetValue(address, out var owner) && owner == transport) byAddress.Remove(address);
        if (byExpected.TryGetValue(address, out var expected) && expected == transport) byExpected.Remove(address);
    }

    private WebRtcTransport? FindByUsername(in StunMessage check)
    {
        Span<char> name = stackalloc char[513]; // RFC 8489 section 14.3
        if (!check.TryGetUsername(out var bytes) || bytes.Length > name.Length) return null;
        for (var i = 0; i < bytes.Length; i++) name[i] = (char)bytes[i]; // ice-chars are ASCII (RFC 8839 section 5.4)
        return usernames.TryGetValue(name[..bytes.Length], out var transport) ? transport : null;
    }
}
