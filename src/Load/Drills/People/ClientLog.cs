using System.Collections.Concurrent;
using System.Net.Security;
using Voice.Client;
using Voice.Load.Generator;
using Voice.Protocol;

namespace Voice.Load.Drills.People;

/// <summary>One media session of a client with one voice server, under keys of its own.</summary>
/// <param name="At">When the keys were agreed on.</param>
/// <param name="Wire">Time and egress index of every packet as it was decrypted, doubles and replays left out.</param>
internal sealed record MediaSession(long At, long Epoch, HeardLog Wire);

/// <summary>What a client was told, and every packet that it could decrypt. Any thread.</summary>
/// <param name="start">Nanoseconds; nothing is older.</param>
internal sealed class ClientLog(long start)
{
    private const int GuildsAndVoiceStates = 1 | 1 << 7;

    private readonly ConcurrentDictionary<string, NonceAudit> audits = new();

    public ConcurrentQueue<Told> Told { get; } = new();

    public ConcurrentQueue<MediaSession> Sessions { get; } = new();

    public ConcurrentQueue<(long At, VoiceClientState State)> States { get; } = new();

    /// <summary>When the main gateway had a session for it, new or resumed.</summary>
    public ConcurrentQueue<long> GatewaySessions { get; } = new();

    /// <summary>Whom it saw leave the channel.</summary>
    public ConcurrentQueue<(long At, Snowflake User)> Left { get; } = new();

    public IEnumerable<NonceAudit> Audits => audits.Values;

    public GatewayClientOptions GatewayOptions => new() { Intents = GuildsAndVoiceStates, OnEvent = On, MaxAttempts = int.MaxValue, CheckCertificate = OurOwn };

    public VoiceClientOptions VoiceOptions => new()
    {
        CheckCertificate = OurOwn,
        OnEvent = On,
        Witness = Witness,
        JoinTimeout = TimeSpan.FromSeconds(30),
        MaxAttempts = int.MaxValue,
    };

    /// <summary>The servers are ours, on this machine.</summary>
    private static readonly RemoteCertificateValidationCallback OurOwn = (_, certificate, _, _) => certificate is not null;

    private void On(GatewayEvent happened)
    {
        var now = LoadGenerator.Now;
        switch (happened)
        {
            case GatewayEvent.Ready or GatewayEvent.Resumed: GatewaySessions.Enqueue(now); break;
            case GatewayEvent.VoiceServerUpdate { Server: var server }: Told.Enqueue(People.Told.From(server, now)); break;
            case GatewayEvent.VoiceStateUpdate { State: { ChannelId: null } state }: Left.Enqueue((now, state.UserId)); break;
        }
    }

    private void On(VoiceEvent happened)
    {
        if (happened is VoiceEvent.StateChanged { State: var state }) States.Enqueue((LoadGenerator.Now, state));
    }

    private PacketWitness Witness(VoiceAssignment assignment, ReadOnlySpan<byte> key)
    {
        var audit = audits.GetOrAdd(Convert.ToHexString(key), _ => new());
        var session = new MediaSession(LoadGenerator.Now, People.Told.EpochOf(assignment), new(start));
        Sessions.Enqueue(session);
        return (in packet) =>
        {
            audit.Take(packet.Space, packet.Nonce, packet.Datagram);
            if (packet.IsFresh && !packet.Payload.IsEmpty) session.Wire.Add(LoadGenerator.Now, (uint)packet.Sequence);
        };
    }
}
