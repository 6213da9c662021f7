using Voice.Protocol;

namespace Voice.Client;

/// <summary>Where the gateway has put this client: one state of affairs, replaced by the next.</summary>
/// <param name="Channel">Null: not in voice.</param>
/// <param name="Assignment">Null while there is no voice server.</param>
/// <param name="HasServer">False after `endpoint: null`: one is being sought.</param>
internal sealed record Place(int Version, Snowflake? Channel, string? SessionId, VoiceAssignment? Assignment, bool HasServer)
{
    /// <summary>Was in voice, and is not any more.</summary>
    public bool HasLeft => Channel is null && SessionId is not null;
}

/// <summary>Follows the two events that bring a client to its voice server (protocol/gateway.md sections 6 and 7). Any thread.</summary>
/// <param name="guild">Null in a private call.</param>
#pragma warning disable CA1001 // A token source without timer, link or wait handle holds nothing to dispose of.
internal sealed class AssignmentTracker(Snowflake user, Snowflake? guild)
#pragma warning restore CA1001
{
    private readonly Lock gate = new();
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource superseded = new();

    /// <summary>Before the first event nothing is known: not "left".</summary>
    public Place Current { get; private set; } = new(0, null, null, null, HasServer: true);

    /// <summary>Called for each event of the gateway, in order.</summary>
    public void On(GatewayEvent happened)
    {
        switch (happened)
        {
            case GatewayEvent.VoiceStateUpdate { State: var state } when state.UserId == user && state.GuildId == guild && IsNews(state.ChannelId, state.SessionId):
                // A mute changes neither; a new session id belongs to a server update that is still to come (section 7).
                Replace(place => place with { Channel = state.ChannelId, SessionId = state.SessionId, Assignment = null }, supersede: state.ChannelId is null);
                break;
            case GatewayEvent.VoiceServerUpdate { Server: var server } when server.GuildId == guild:
                Replace(
                    place => place with
                    {
                        HasServer = server.Endpoint is not null,
                        Assignment = server.Endpoint is { } endpoint && place is { Channel: { } channel, SessionId: { } session }
                            ? new VoiceAssignment(guild ?? channel, channel, user, session, server.Token, endpoint)
                            : null,
                    },
                    supersede: true);
                break;
        }
    }

    /// <summary>The first state of affairs that is as wanted, the current one included.</summary>
    public async Task<Place> When(Func<Place, bool> wanted, CancellationToken cancellation)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (wanted(Current)) return Current;
                next = changed.Task;
            }

            await next.WaitAsync(cancellation);
        }
    }

    /// <summary>Cancelled when this assignment is no longer the one.</summary>
    public CancellationToken Superseded(Place place)
    {
        lock (gate) return Current.Assignment == place.Assignment ? superseded.Token : new CancellationToken(canceled: true);
    }

    private bool IsNews(Snowflake? channel, string session) => Current.Channel != channel || (channel is not null && Current.SessionId != session);

    private void Replace(Func<Place, Place> change, bool supersede)
    {
        TaskCompletionSource waiting;
        CancellationTokenSource? over = null;
        lock (gate)
        {
            Current = change(Current) with { Version = Current.Version + 1 };
            (waiting, changed) = (changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
            if (supersede) (over, superseded) = (superseded, new());
        }

        over?.Cancel();
        waiting.SetResult();
    }
}
