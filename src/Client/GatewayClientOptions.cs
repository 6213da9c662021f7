using System.Net.Security;

namespace Voice.Client;

public sealed record GatewayClientOptions
{
    /// <summary>Discord's intent bits; null asks for everything.</summary>
    public int? Intents { get; init; }

    /// <summary>Called for each event, in order, on the thread that reads the socket: it should be quick.</summary>
    public Action<GatewayEvent>? OnEvent { get; init; }

    /// <summary>Judges the server's certificate instead of the system; for a private CA.</summary>
    public RemoteCertificateValidationCallback? CheckCertificate { get; init; }

    /// <summary>More gateways of the same cluster: where one is lost, the next is tried.</summary>
    public IReadOnlyList<Uri> Others { get; init; } = [];

    /// <summary>Attempts to have a lost socket back, one after the other, before giving up.</summary>
    public int MaxAttempts { get; init; } = 10;

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
