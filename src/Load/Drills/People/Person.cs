using Voice.Client;
using Voice.Load.Generator;
using Voice.Protocol;

namespace Voice.Load.Drills.People;

/// <summary>A client and its log. It is one of our own clients, which follows its guild from server to server as any would.</summary>
/// <param name="guild">Its place among the guilds of the crowd; what its talker says carries that number.</param>
internal sealed class Person(int guild, bool talks, VoiceTransport transport, Snowflake user, Payloads payloads, long start) : IAsyncDisposable
{
    public int Guild { get; } = guild;

    public bool Talks { get; } = talks;

    public VoiceTransport Transport { get; } = transport;

    public Snowflake User { get; } = user;

    public ClientLog Log { get; } = new(start);

    /// <summary>What the talker of the guild said, as it came out of the client.</summary>
    public HeardLog Heard { get; } = new(start);

    public GatewayClient? Gateway { get; private set; }

    public VoiceClient? Voice { get; private set; }

    /// <summary>Why it is no longer there; null: it is.</summary>
    public string? Failure =>
        Voice is not { } voice ? "never joined"
        : voice.Completion.IsFaulted ? voice.Completion.Exception.InnerException?.Message
        : !IsConnected ? "has no main gateway"
        : voice.State is VoiceClientState.Connected or VoiceClientState.Resuming ? null
        : $"is {voice.State}";

    /// <summary>It has a session with a main gateway.</summary>
    public bool IsConnected => Gateway is { IsConnected: true };

    public async Task Join(Func<GatewayClientOptions, Task<GatewayClient>> connect, Snowflake guildId, Snowflake channel, CancellationToken cancel)
    {
        Gateway = await connect(Log.GatewayOptions);
        Voice = await VoiceClient.JoinAsync(Gateway, guildId, channel, Log.VoiceOptions with { Transport = Transport, OnFrame = Hear }, cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (Voice is not null) await Voice.DisposeAsync();
        if (Gateway is not null) await Gateway.DisposeAsync();
    }

    private void Hear(in ReceivedFrame frame, ReadOnlySpan<byte> payload)
    {
        if (payloads.TryRead(payload, out var talker, out var counter, out _) && talker == Guild) Heard.Add(LoadGenerator.Now, (uint)counter);
    }
}
