using Voice.Media.Net;

namespace Voice.Media.Checkpoints;

/// <summary>Where a client is, in three words of its transport's checkpoint. While they are written there is none: an address is never put together of
/// two.</summary>
internal static class SavedAddress
{
    private const int High = 1;
    private const int Low = 2;
    private const int PortAndFlags = 3;

    private const ulong IsThere = 1UL << 63;

    /// <summary>The client's, as it proved: see <see cref="UdpTransport.IsBound"/>.</summary>
    private const ulong IsProved = 1UL << 62;

    /// <param name="address">Null: it is not known where the client is.</param>
    /// <param name="proved">The client sent from there; without an address, that it once did from another.</param>
    public static void Save(Checkpoint checkpoint, RemoteEndPoint? address, bool proved)
    {
        checkpoint.Set(PortAndFlags, proved ? IsProved : 0);
        if (address is not { } known) return;
        checkpoint.Set(High, known.High);
        checkpoint.Set(Low, known.Low);
        checkpoint.Set(PortAndFlags, IsThere | (proved ? IsProved : 0) | (ulong)known.Scope << 16 | known.Port);
    }

    /// <inheritdoc cref="Save"/>
    public static (RemoteEndPoint? Address, bool Proved) Load(Checkpoint checkpoint)
    {
        var flags = checkpoint[PortAndFlags];
        RemoteEndPoint? address = (flags & IsThere) == 0 ? null : new(checkpoint[High], checkpoint[Low], (ushort)flags, (uint)(flags >> 16));
        return (address, (flags & IsProved) != 0);
    }
}
