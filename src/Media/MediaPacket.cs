namespace Voice.Media;

/// <summary>What of a talker's packet goes on: first in the track's numbers, normalised once for every listener (design.md section 3.5), and
/// then in those of one listener's stream.</summary>
/// <param name="index">48 bits: rollover and sequence.</param>
/// <param name="timestamp">On a clock that does not stop, see <see cref="Timeline"/>.</param>
/// <param name="level">Audio level as on the wire (RFC 6464), null when the packet does not tell.</param>
/// <param name="payload">Without padding: we send none (RFC 3550 section 5.1).</param>
internal readonly ref struct MediaPacket(ulong index, uint timestamp, bool marker, byte? level, ReadOnlySpan<byte> payload)
{
    public ulong Index { get; } = index;
    public uint Timestamp { get; } = timestamp;
    public bool Marker { get; } = marker;
    public byte? Level { get; } = level;
    public ReadOnlySpan<byte> Payload { get; } = payload;
}
