using Voice.Protocol.Links;

namespace Voice.Media.Dtls;

/// <summary>Whom a handshake expects, and where what comes of it goes. The callbacks run on a pool thread.</summary>
/// <param name="Fingerprint">SHA-256 of the client's certificate, as signalled.</param>
/// <param name="Profiles">SRTP protection profiles, best first (RFC 5764 section 4.1.2).</param>
/// <param name="Send">One datagram to the peer; the array is the callee's to keep.</param>
/// <param name="Connected">Once, when the handshake is done.</param>
/// <param name="Closed">Once, when the handshake failed or the peer ended the connection.</param>
public sealed record DtlsPeer(
    byte[] Fingerprint,
    ushort[] Profiles,
    Action<byte[]> Send,
    Action<DtlsKeys> Connected,
    Action<TransportCloseReason> Closed);

/// <summary>What a handshake yields.</summary>
/// <param name="KeyingMaterial">RFC 5764 section 4.2: client key, server key, client salt, server salt.</param>
public sealed record DtlsKeys(ushort Profile, byte[] KeyingMaterial);
