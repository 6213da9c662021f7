using System.Runtime.InteropServices;
using Voice.Media.Net;
using Voice.Protocol.Links;
using Voice.Protocol.Ogg;
using Voice.Protocol.Rtp;

namespace Voice.Media;

/// <summary>The last third of a packet's way: for each subscription its own header, its own key, and out. The payload is
/// never touched, it may be encrypted end to end.</summary>
internal sealed class Forwarder(IDatagramPort port, WorkerCounters counters)
{
    /// <summary>How many listeners are read ahead.</summary>
    private const int Preloaded = 16;

    private readonly byte[] header = new byte[RtpHeader.MaxLength];
    private readonly byte[] datagram = new byte[Worker.MaxDatagram + RtpHeader.MaxLength + Transport.MaxOverhead];
    private int preloaded;

    /// <summary>To every listener: those on other workers by their workers.</summary>
    /// <param name="packet">In the track's numbers.</param>
    public void Forward(Track track, in MediaPacket packet, TimeSpan now)
    {
        foreach (var relay in track.Relays)
        {
            if (!relay.TryForward(packet, now, port.ReceivedAt)) counters.Drop(DropReason.RingFull);
        }
        Forward(track.Fanout, packet, now, now);
    }

    /// <summary>To the listeners on this worker.</summary>
    /// <param name="arrival">When the talker's worker got it.</param>
    public void Forward(Fanout fanout, in MediaPacket packet, TimeSpan arrival, TimeSpan now)
    {
        fanout.Clock.Packet(packet.Index, packet.Timestamp, arrival);
        if (fanout.Select(packet, now, out var number, out var begins, out var ends) is { } refusal)
        {
            counters.Drop(refusal);
            if (ends) End(fanout, now);
            return;
        }
        var selected = new MediaPacket(number, packet.Timestamp, packet.Marker || begins, packet.Level, packet.Payload);
        var subscriptions = CollectionsMarshal.AsSpan(fanout.Subscriptions);
        for (var i = 0; i < subscriptions.Length; i++)
        {
            if (i % Preloaded == 0) Preload(subscriptions[i..Math.Min(i + Preloaded, subscriptions.Length)]);
            if (Send(subscriptions[i], selected, now) is { } reason) counters.Drop(reason);
        }
    }

    /// <summary>With some hundred rooms on a worker nothing of a listener is in the cache when its turn comes, and what is needed of it
    /// hangs together like a chain. Read for several listeners at once, the chains wait for the memory beside each other. Measured in rooms of 5:
    /// docs/performance.md.</summary>
    private void Preload(ReadOnlySpan<Subscription> subscriptions)
    {
        foreach (var subscription in subscriptions)
        {
            preloaded += (int)subscription.Gates + (int)subscription.Stream.Packets + (int)subscription.Stream.Index.Next + subscription.Listener.PreloadEgress();
        }
    }

    /// <summary>Nobody here is to hear the talker any more, for now.</summary>
    private void End(Fanout fanout, TimeSpan now)
    {
        foreach (var subscription in fanout.Subscriptions)
        {
            if (subscription.Gates == Gates.None) End(subscription, now);
        }
    }

    private DropReason? Send(Subscription subscription, in MediaPacket packet, TimeSpan now)
    {
        var (listener, stream) = (subscription.Listener, subscription.Stream);
        if (subscription.Gates != Gates.None)
        {
            stream.Index.Skip(packet.Index);
            return DropReason.Gated;
        }
        if (listener.State != TransportState.Connected || listener.Selected is not { } destination)
        {
            stream.Index.Skip(packet.Index);
            return DropReason.ListenerNotConnected;
        }
        if (stream.TryMap(packet.Index, out var egress) is { } refusal) return refusal;

        return Write(
            listener, stream, destination, new(egress, stream.Translate(packet.Timestamp, now), packet.Marker, packet.Level, packet.Payload), now);
    }

    /// <summary>The server stops a talker whom the listener is hearing. Frames of silence end the sound, instead of a decoder's guess
    /// at what was lost; native clients take five for the end of speech (udp-media.md section 4).</summary>
    public void End(Subscription subscription, TimeSpan now)
    {
        var (listener, stream) = (subscription.Listener, subscription.Stream);
        if (subscription.Fanout.Kind != TrackKind.Audio || !stream.IsAudible(now)) return;
        if (listener.State != TransportState.Connected || listener.Selected is not { } destination) return;
        for (var i = 0; i < OpusToc.SilenceFrames; i++)
        {
            var refusal = stream.TryAppend(out var egress, out var timestamp)
                ?? Write(listener, stream, destination, new(egress, timestamp, marker: false, level: null, OpusToc.SilenceFrame), now);
            if (refusal is { } reason) counters.Drop(reason);
        }
    }

    /// <param name="packet">In the listener's numbers.</param>
    private DropReason? Write(Transport listener, EgressStream stream, Destination destination, in MediaPacket packet, TimeSpan now)
    {
        var headerLength = RtpHeader.Write(
            header, packet.Marker, listener.OpusPayloadType, (ushort)packet.Index, packet.Timestamp, stream.Ssrc,
            packet.Level is null ? (byte)0 : listener.AudioLevelExtension, packet.Level ?? 0);
        if (listener.Protect(header.AsSpan(0, headerLength), packet.Payload, packet.Index, datagram, out var length) is { } exhausted) return exhausted;

        stream.Sent(packet.Timestamp, packet.Payload.Length, now);
        if (!port.TrySend(datagram.AsSpan(0, length), destination)) return DropReason.SendFailed;
        counters.Forwarded(length);
        return null;
    }
}
