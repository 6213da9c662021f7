namespace Voice.Client;

/// <summary>A packet of the server that authenticated, whether or not the replay window then took it.</summary>
/// <param name="space">Two packets of one key, space and nonce were protected under the same nonce.</param>
/// <param name="nonce">SRTP's index, or the count that Discord's modes append.</param>
/// <param name="sequence">Extended RTP sequence number; of a fresh packet.</param>
public readonly ref struct WitnessedPacket(ulong space, ulong nonce, ulong sequence, bool isFresh, ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> payload)
{
    public ulong Space { get; } = space;

    public ulong Nonce { get; } = nonce;

    public ulong Sequence { get; } = sequence;

    /// <summary>RTP that was not seen before.</summary>
    public bool IsFresh { get; } = isFresh;

    /// <summary>As it came.</summary>
    public ReadOnlySpan<byte> Datagram { get; } = datagram;

    /// <summary>Decrypted; empty in RTCP.</summary>
    public ReadOnlySpan<byte> Payload { get; } = payload;
}

/// <summary>Sees packets on the thread that received them. It should be quick.</summary>
public delegate void PacketWitness(in WitnessedPacket packet);

/// <summary>Called when a session has agreed on keys.</summary>
/// <param name="key">What the server protects with: a session that gets it again shares its nonces.</param>
/// <returns>Null: what comes under this key is not witnessed.</returns>
public delegate PacketWitness? WitnessFactory(VoiceAssignment assignment, ReadOnlySpan<byte> key);

/// <summary>The same, of one assignment.</summary>
internal delegate PacketWitness? KeyWitness(ReadOnlySpan<byte> key);
