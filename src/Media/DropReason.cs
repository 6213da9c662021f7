namespace Voice.Media;

/// <summary>Why a datagram, a packet or a request went no further. Each has a counter; nothing is logged or answered.</summary>
public enum DropReason
{
    // The datagram.
    Empty,
    Oversized,
    UnknownKind,
    UnknownAddress,
    PortZero,
    SendFailed,

    /// <summary>It waited for a process to read it until its time was over.</summary>
    Stale,

    /// <summary>The kernel's: the worker did not take datagrams as fast as they came.</summary>
    ReceiveBufferFull,

    // STUN (RFC 8489, RFC 8445).
    StunMalformed,
    StunNotRequest,
    StunFingerprint,
    StunUnknownUsername,
    StunIntegrity,
    StunReplayed,
    StunUnknownAttribute,
    StunRoleConflict,
    TransportClosed,

    // DTLS.
    DtlsUnexpected,
    DtlsQueueFull,
    DtlsPoolFull,

    // SRTP, SRTCP.
    NotConnected,
    SrtpMalformed,
    SrtpAuthentication,
    SrtpReplayed,
    SrtpTooOld,
    SrtpTooManyStreams,
    SrtcpMalformed,
    SrtcpAuthentication,
    SrtcpReplayed,
    SrtcpTooOld,
    SrtcpTooManyStreams,

    // Discord's UDP protocol.
    UdpMalformed,
    UdpAuthentication,
    UdpReplayed,
    UdpTooOld,
    UdpRtcpAuthentication,

    // RTP, RTCP.
    RtpMalformed,
    UnknownSsrc,
    UnknownPayloadType,
    RtpPadding,
    EmptyPayload,
    RtcpMalformed,
    RtcpIgnored,

    // Egress.
    Gated,
    NotLoudest,
    ListenerNotConnected,
    EgressTooOld,
    EgressReused,
    EgressExhausted,

    // Between workers.
    RingFull,
    RelayUnknown,

    // The link.
    CommandRefused,
}
