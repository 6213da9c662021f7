using Voice.Protocol;

namespace Voice.Client;

/// <summary>One Opus packet of another participant.</summary>
/// <param name="User">Null while the server has not said whose <paramref name="Ssrc"/> it is.</param>
/// <param name="Sequence">RTP sequence number of the stream, extended: one more for each packet sent to us, over the wrap of its 16 bits. Where the call
/// moves to another voice server in the middle of speech, the <paramref name="Ssrc"/> is another from then on, and the sequence goes on
/// where it is known by how much the two servers differ.</param>
/// <param name="Timestamp">RTP timestamp: samples at 48 kHz, from a random beginning, wrapping.</param>
/// <param name="Payload">Opus, as the talker sent it.</param>
/// <param name="Arrival">When it came, as <see cref="TimeProvider.GetTimestamp"/> counts.</param>
public readonly record struct ReceivedFrame(
    Snowflake? User, uint Ssrc, ulong Sequence, uint Timestamp, ReadOnlyMemory<byte> Payload, long Arrival);

/// <summary>Takes a frame where it was received.</summary>
/// <param name="frame">Without its payload.</param>
/// <param name="payload">Valid during the call.</param>
public delegate void FrameHandler(in ReceivedFrame frame, ReadOnlySpan<byte> payload);
