using System.Net.Security;
using Voice.Protocol.DiscordUdp;

namespace Voice.Client;

/// <summary>How media goes between client and server.</summary>
public enum VoiceTransport
{
    /// <summary>Discord's UDP protocol, as bots and native clients speak it.</summary>
    Udp = 0,

    /// <summary>ICE, DTLS and SRTP, as browsers speak it.</summary>
    WebRtc,
}

public sealed record VoiceClientOptions
{
    public VoiceTransport Transport { get; init; } = VoiceTransport.Udp;

    /// <summary>Of UDP, best first: the first that the server offers is taken.</summary>
    public IReadOnlyList<EncryptionMode> Modes { get; init; } = [EncryptionMode.AeadAes256GcmRtpSize, EncryptionMode.AeadXChaCha20Poly1305RtpSize];

    public bool SelfMute { get; init; }

    public bool SelfDeaf { get; init; }

    /// <summary>Ids of regions, nearest first: see <see cref="RegionLatencies"/>. Null: the server does not hear of any.</summary>
    public string[]? PreferredRegions { get; init; }

    /// <summary>Judges the voice server's certificate instead of the system; for a private CA.</summary>
    public RemoteCertificateValidationCallback? CheckCertificate { get; init; }

    /// <summary>Frames that wait to be read; of more, the oldest are dropped and counted. 500 are 10 s of one talker.</summary>
    public int ReceiveQueueLength { get; init; } = 500;

    /// <summary>Takes each frame on the thread that received it, in place of the queue: nothing is copied, and it should be quick.</summary>
    public FrameHandler? OnFrame { get; init; }

    /// <summary>Called for each event, in order, on the thread it happens on: it should be quick.</summary>
    public Action<VoiceEvent>? OnEvent { get; init; }

    /// <summary>How long the gateway and the voice server may take to let the client in.</summary>
    public TimeSpan JoinTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Attempts to have a lost place back, one after the other, before giving up.</summary>
    public int MaxAttempts { get; init; } = 8;

    /// <summary>For tests of servers: has every packet seen that authenticates, replays too, which costs a copy of each.</summary>
    public WitnessFactory? Witness { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
