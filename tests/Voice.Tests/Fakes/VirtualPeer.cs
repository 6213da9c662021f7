using System.Net;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;

namespace Voice.Tests.Fakes;

/// <summary>A client on the virtual network, as far as the SFU can tell: it protects what it sends and unprotects what it gets. Its
/// address can change.</summary>
public abstract class VirtualPeer : IDisposable
{
    private protected VirtualPeer(VirtualSfu sfu, PutTransport put, RemoteEndPoint address)
    {
        Sfu = sfu;
        Put = put;
        TrackSsrc = put.Id * 8;
        Address = address;
        PutTrack = new(TrackSsrc, put.Id, TrackKind.Audio, 48_000, 0);
        sfu.Port.Attach(address, Inbox.Add);
    }

    public uint Id => Put.Id;

    public PutTransport Put { get; internal set; }

    public PutTrack PutTrack { get; internal set; }

    /// <summary>Ours, as listeners see it.</summary>
    public uint TrackSsrc { get; }

    /// <summary>That its packets carry.</summary>
    public uint SenderSsrc { get; set; }

    public RemoteEndPoint Address { get; private set; }

    /// <summary>Every datagram that reached it.</summary>
    public List<byte[]> Inbox { get; } = [];

    /// <summary>The 48-bit index that the next packet gets.</summary>
    public ulong NextIndex { get; set; } = 1000;

    public uint NextTimestamp { get; set; } = 5000;

    /// <summary>What the node has learned of it from the media process, which it tells another one.</summary>
    public ResumedMedia? Learned { get; private protected set; }

    private protected VirtualSfu Sfu { get; }

    public void MoveTo(string address, int port)
    {
        Sfu.Port.Detach(Address);
        Address = RemoteEndPoint.From(new IPEndPoint(IPAddress.Parse(address), port));
        Sfu.Port.Attach(Address, Inbox.Add);
    }

    public void Send(ReadOnlySpan<byte> datagram) => Sfu.Deliver(datagram, Address, Put.Worker);

    /// <summary>The client's next packet, protected; 20 ms of audio after the last.</summary>
    public byte[] Rtp(ReadOnlySpan<byte> payload = default, byte? level = null, bool marker = false, byte? payloadType = null)
    {
        if (payload.IsEmpty) payload = [0xF8, 0xFF, 0xFE];
        var header = new byte[RtpHeader.MaxLength];
        var length = RtpHeader.Write(
            header, marker, payloadType ?? Put.OpusPayloadType, (ushort)NextIndex, NextTimestamp, SenderSsrc,
            level is null ? (byte)0 : Put.AudioLevelExtension, level ?? 0);
        NextTimestamp += 960;
        return Protect(header.AsSpan(0, length), payload, NextIndex++);
    }

    /// <summary>Any packet, protected.</summary>
    public abstract byte[] Protect(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, ulong index);

    public abstract byte[] Rtcp(ReadOnlySpan<byte> compound);

    /// <summary>Unprotects the RTP in the inbox, which is emptied.</summary>
    public List<ReceivedPacket> TakeRtp() => [.. Take(PacketKind.Rtp).Select(Unprotect)];

    /// <summary>Unprotects the RTCP in the inbox, which is emptied.</summary>
    public List<byte[]> TakeRtcp() => [.. Take(PacketKind.Rtcp).Select(UnprotectRtcp)];

    public abstract void Dispose();

    private protected abstract ReceivedPacket Unprotect(byte[] datagram);

    private protected abstract byte[] UnprotectRtcp(byte[] datagram);

    private byte[][] Take(PacketKind kind)
    {
        var taken = Inbox.Where(datagram => Demux.Classify(datagram) == kind).ToArray();
        Inbox.RemoveAll(taken.Contains);
        return taken;
    }
}

/// <summary>A packet as a listener has it after decryption.</summary>
public sealed record ReceivedPacket(ulong Index, byte[] Bytes)
{
    public RtpPacket Packet => RtpPacket.TryParse(Bytes, out var packet) ? packet : throw new InvalidOperationException("not RTP");

    public byte[] Payload => Packet.Payload.ToArray();
}
