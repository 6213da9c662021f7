using Voice.Protocol.Voice;

namespace Voice.Client;

/// <summary>How packets come and go: UDP or WebRTC. What is received goes to the handler it was made with.</summary>
internal interface IMediaPath : IAsyncDisposable
{
    /// <summary>Bytes of Opus in a packet: with headers and tag it stays below the server's 1,500 bytes of a datagram, and below what goes over Ethernet in one.</summary>
    const int MaxPayload = 1400;

    /// <summary>After Ready: finds out what Select Protocol (op 1) needs, and returns that message.</summary>
    /// <exception cref="VoiceClosedException">The server offers nothing that we know, or does not answer.</exception>
    Task<byte[]> SelectAsync(ServerMessage.Ready ready, CancellationToken cancellation);

    /// <summary>After the session description: agrees on keys. Then packets can be sent.</summary>
    /// <exception cref="VoiceClosedException">It did not come about.</exception>
    Task OpenAsync(ServerMessage.Description description, CancellationToken cancellation);

    /// <summary>Fails when an open path is lost.</summary>
    Task Lost { get; }

    /// <summary>Packets that did not authenticate, came twice or were none.</summary>
    long Refused { get; }

    /// <summary>Protects and sends one packet with the SSRC of Ready. One thread at a time; never waits.</summary>
    /// <param name="payload">At most <see cref="MaxPayload"/> bytes.</param>
    /// <param name="index">Its lower 16 bits are the sequence number; never twice the same.</param>
    void Send(ulong index, uint timestamp, bool marker, ReadOnlySpan<byte> payload);
}

/// <param name="index">The extended sequence number.</param>
internal delegate void PacketHandler(in Protocol.Rtp.RtpPacket packet, ulong index);
