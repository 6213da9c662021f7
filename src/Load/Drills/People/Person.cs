using System.Collections.Concurrent;
using Voice.Client;
using Voice.Load.Generator;
using Voice.Protocol;

namespace Voice.Load.Drills.People;

/// <summary>One media session of a client with one voice server, under keys of its own.</summary>
/// <param name="At">When the keys were agreed on.</param>
/// <param name="Wire">Time and egress index of every packet as it was decrypted, doubles and replays left out.</param>
internal sealed record MediaSession(long At, long Epoch, HeardLog Wire);

/// <summary>A client and its log. It is one of our own clients, which follows its guild from server to server as any would.</summary>
/// <param name="guild">Its place among the guilds of the crowd; what its talker says carries that number.</param>
internal sealed class Person(int guild, bool talks, VoiceTransport transport, Snowflake user, Payloads payloads, long start) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, NonceAudit> audits = new();

    public int Guild { get; } = guild;

    public bool Talks { get; } = talks;

    public VoiceTransport Transport { get; } = transport;

    public Snowflake User { get; } = user;

    public GatewayClient? Gateway { get; private set; }

    public VoiceClient? Voice { get; private set; }

    /// <summary>What the talker of the guild said, as it came out of the client.</summary>
    public HeardLog Heard { get; } = new(start);

    public ConcurrentQueue<Told> Told { get; } = new();

    public ConcurrentQueue<(long At, VoiceClientState State)> States { get; } = new();

    public ConcurrentQueue<MediaSession> Sessions { get; } = new();

    /// <summary>When the main gateway had a session for it, new or resumed.</summary>
    public ConcurrentQueue<(long At, bool IsNew)> GatewaySessions { get; } = new();

    /// <summary>Whom it saw leave the channel.</summary>
    public ConcurrentQueue<(long At, Snowflake User)> Left { get; } = new();

    public IEnumerable<NonceAudit> Audits => audits.Values;

    /// <summary>Why it is no longer there; null: it is.</summary>
    public string? Failure =>
        Voice is not { } voice ? "never joined"
        : voice.Completion.IsFaulted ? voice.Completion.Exception.InnerException?.Message
        : voice.State is VoiceClientState.Connected or VoiceClientState.Resuming ? null
        : $"is {voice.State}";

    public async Task Join(Func<GatewayClientOptions, Task<GatewayClient>> connect, Snowflake guildId, Snowflake channel, CancellationToken cancel)
    {
        Gateway = await connect(new GatewayClientOptions { Intents = GuildsAndVoiceStates, OnEvent = On, MaxAttempts = int.MaxValue, CheckCertificate = Own });
        Voice = await VoiceClient.JoinAsync(
            Gateway,
            guildId,
            channel,
            new VoiceClientOptions
            {
                Transport = Transport,
                CheckCertificate = Own,
                OnFrame = Hear,
                OnEvent = On,
                Witness = Witness,
                JoinTimeout = TimeSpan.FromSeconds(30),
                MaxAttempts = int.MaxValue,
            },
            cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (Voice is not null) await Voice.DisposeAsync();
        if (Gateway is not null) await Gateway.DisposeAsync();
    }

    private const int GuildsAndVoiceStates = 1 | 1 << 7;

    /// <summary>The servers are our own, on this machine.</summary>
    private static readonly System.Net.Security.RemoteCertificateValidationCallback Own = (_, certificate, _, _) => certificate is not null;

    private void On(GatewayEvent happened)
    {
        var now = LoadGenerator.Now;
        switch (happened)
        {
            case GatewayEvent.Ready: GatewaySessions.Enqueue((now, true)); break;
            case GatewayEvent.Resumed: GatewaySessions.Enqueue((now, false)); break;
            case GatewayEvent.VoiceServerUpdate { Server: var server }: Told.Enqueue(People.Told.From(server, now)); break;
            case GatewayEvent.VoiceStateUpdate { State: { ChannelId: null } state }: Left.Enqueue((now, state.UserId)); break;
        }
    }

    private void On(VoiceEvent happened)
    {
        if (happened is VoiceEvent.StateChanged { State: var state }) States.Enqueue((LoadGenerator.Now, state));
    }

    private void Hear(in ReceivedFrame frame, ReadOnlySpan<byte> payload)
    {
        if (payloads.TryRead(payload, out var talker, out var counter, out _) && talker == Guild) Heard.Add(LoadGenerator.Now, (uint)counter);
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
