using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;
using Voice.Protocol.Srtp;

namespace Voice.Media;

/// <summary>The last third of a packet's way: for each subscription its own header, its own key, and out. The payload is
/// never touched, it may be encrypted end to end.</summary>
internal sealed class Forwarder(IDatagramPort port, WorkerCounters counters)
{
    private readonly byte[] header = new byte[RtpHeader.MaxLength];
    private readonly byte[] datagram = new byte[Worker.MaxDatagram + RtpHeader.MaxLength + SrtpProfiles.MaxTagLength];

    /// <param name="packet">Plain.</param>
    /// <param name="payload">The packet's, without padding: we send none (RFC 3550 section 5.1).</param>
    /// <param name="level">The packet's audio level as on the wire (RFC 6464), null when it does not tell.</param>
    /// <param name="index">The packet's 48-bit index.</param>
    public void Forward(Track track, in RtpPacket packet, ReadOnlySpan<byte> payload, byte? level, ulong index, TimeSpan now)
    {
        foreach (var subscription in track.Subscriptions)
        {
            var refusal = Send(subscription, packet, payload, level, index, now);
            if (refusal is { } reason) counters.Drop(reason);
        }
    }

    /// <summary>A packet of the talker's that nobody is to get: no listener shall see a gap.</summary>
    public static void Skip(Track track, ulong index)
    {
        foreach (var subscription in track.Subscriptions) subscription.Stream.Index.Skip(index);
    }

    private DropReason? Send(
        Subscription subscription, in RtpPacket packet, ReadOnlySpan<byte> payload, byte? level, ulong index, TimeSpan now)
    {
        var (listener, stream) = (subscription.Listener, subscription.Stream);
        if (subscription.Gates != Gates.None)
        {
            stream.Index.Skip(index);
            return DropReason.Gated;
        }
        if (listener.Egress is not { } srtp || listener.Selected is not { } destination)
        {
            stream.Index.Skip(index);
            return DropReason.ListenerNotConnected;
        }
        if (stream.Index.TryMap(index, out var egress) is { } refusal) return refusal;

        var timestamp = stream.Translate(packet.Timestamp, now);
        var headerLength = RtpHeader.Write(
            header, packet.Marker, listener.OpusPayloadType, (ushort)egress, timestamp, stream.Ssrc,
            level is null ? (byte)0 : listener.AudioLevelExtension, level ?? 0);
        var length = srtp.Protect(header.AsSpan(0, headerLength), payload, egress, datagram);

        stream.Sent(timestamp, payload.Length, now);
        if (!port.TrySend(datagram.AsSpan(0, length), destination)) return DropReason.SendFailed;
        counters.Forwarded(length);
        return null;
    }
}
