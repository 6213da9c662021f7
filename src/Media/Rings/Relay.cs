namespace Voice.Media.Rings;

/// <summary>A track's way to its listeners on another worker: each packet crosses once, however many they are.</summary>
/// <param name="id">That of the track's shadow over there; never used again, so that what is still under way for an earlier one is known as late.</param>
/// <param name="worker">Where it goes.</param>
internal sealed class Relay(uint id, int worker, PacketRing ring, Doorbell? doorbell)
{
    public int Worker => worker;

    /// <summary>False when the ring is full.</summary>
    /// <param name="receivedAt">See <see cref="Net.IDatagramPort.ReceivedAt"/>.</param>
    public bool TryForward(in MediaPacket packet, TimeSpan arrival, long receivedAt)
    {
        var flags = (packet.Marker ? RingFlags.Marker : RingFlags.None) | (packet.Level is null ? RingFlags.None : RingFlags.Level);
        return TryWrite(
            new(packet.Index, arrival.Ticks, receivedAt, id, packet.Timestamp, (ushort)packet.Payload.Length, packet.Level ?? 0, flags), packet.Payload);
    }

    /// <summary>The talker's clock, in the track's timestamps. One that does not fit is left out: another will come.</summary>
    public void Report(uint timestamp, TimeSpan arrival) => TryWrite(new(0, arrival.Ticks, 0, id, timestamp, 0, 0, RingFlags.Report), []);

    private bool TryWrite(in RingHeader header, ReadOnlySpan<byte> payload)
    {
        if (!ring.TryWrite(header, payload)) return false;
        doorbell?.Ring();
        return true;
    }
}
