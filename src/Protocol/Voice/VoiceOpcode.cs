namespace Voice.Protocol.Voice;

/// <summary>Voice gateway opcodes (protocol/voice-gateway.md section 3).</summary>
public enum VoiceOpcode
{
    Identify = 0,
    SelectProtocol = 1,
    Ready = 2,
    Heartbeat = 3,
    SessionDescription = 4,
    Speaking = 5,
    HeartbeatAck = 6,
    Resume = 7,
    Hello = 8,
    Resumed = 9,
    ClientsConnect = 11,
    Video = 12,
    ClientDisconnect = 13,
    SessionUpdate = 14,
    MediaSinkWants = 15,
    VoiceBackendVersion = 16,
    ClientFlags = 18,
    ClientPlatform = 20,
    DaveTransitionReady = 23,
    DaveMlsKeyPackage = 26,
    DaveMlsCommitWelcome = 28,
    DaveMlsInvalidCommitWelcome = 31,
    NoRoute = 32,
}

/// <summary>Voice gateway close codes (protocol/voice-gateway.md section 7).</summary>
public enum VoiceCloseCode
{
    UnknownOpcode = 4001,
    DecodeError = 4002,
    NotAuthenticated = 4003,
    AuthenticationFailed = 4004,
    AlreadyAuthenticated = 4005,
    SessionNoLongerValid = 4006,
    SessionTimedOut = 4009,
    ServerNotFound = 4011,
    UnknownProtocol = 4012,
    WebRtcCrashed = 4013,
    Disconnected = 4014,
    VoiceServerCrashed = 4015,
    UnknownEncryptionMode = 4016,
    BadRequest = 4020,
    RateLimited = 4021,
    CallTerminated = 4022,
}

/// <summary>Op 5's bits.</summary>
[Flags]
public enum SpeakingFlags
{
    None = 0,
    Microphone = 1,
    Soundshare = 2,
    Priority = 4,
}
