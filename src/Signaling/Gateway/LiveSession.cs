using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>A session with the socket it is on at the moment. Guild events and the socket's loop meet here: one lock, held only
/// while messages are numbered and queued, keeps numbers and order the same thing.</summary>
/// <param name="shard">Its number and how many there are; null: it has all guilds.</param>
internal sealed class LiveSession(GatewaySession session, User user, int[]? shard = null)
{
    /// <summary>All members of a guild are sent this often at most.</summary>
    private static readonly TimeSpan ListInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<Snowflake, TimeSpan> _listed = [];
    private Outbox? _outbox;
    private bool _ended;

    public string Id => session.Id;

    public User User => user;

    /// <summary>Done when READY and what belongs to it is dispatched, or the session has ended before.</summary>
    public Task Opening => _opened.Task;

    public void Opened() => _opened.TrySetResult();

    // protocol/gateway.md section 2.
    public bool HasInShard(Snowflake guild) => shard is not [var id, var count] || (guild.Value >> 22) % (ulong)count == (ulong)id;

    /// <summary>Private channels are the first shard's.</summary>
    public bool HasPrivateChannels => shard is not [> 0, _];

    public Snowflake[] Guilds => Locked(() => session.Guilds.ToArray());

    public Snowflake[] VoiceGuilds => Locked(() => session.VoiceGuilds.ToArray());

    public void Attach(Outbox outbox)
    {
        lock (_lock)
        {
            session.Attached();
            _outbox = outbox;
        }
    }

    /// <summary>Moves the session to another socket and repeats what was missed. False if that is no longer kept, or the session has ended.</summary>
    /// <param name="valid">False if the client names a number that was never sent, and nothing is done.</param>
    public bool TryResume(Outbox outbox, int sequence, out bool valid)
    {
        lock (_lock)
        {
            valid = sequence >= 0 && sequence <= session.Sequence;
            if (!valid || _ended || session.Missed(sequence) is not { } missed) return false;
            _outbox?.Complete(GatewayCloseCode.UnknownError);
            _outbox = outbox;
            session.Attached();
            foreach (var message in missed) outbox.Post(message);
            outbox.Post(session.Dispatch("RESUMED", "{}"u8));
            return true;
        }
    }

    /// <summary>The socket is gone. False if the session is on another one by now.</summary>
    public bool Detach(Outbox outbox, TimeSpan now)
    {
        lock (_lock)
        {
            if (_outbox != outbox) return false;
            _outbox = null;
            session.Detached(now);
            return true;
        }
    }

    public bool HasSocket => Locked(() => _outbox is not null);

    /// <summary>True once the session was alone too long; it can then not be resumed any more.</summary>
    public bool TryExpire(TimeSpan now) => Locked(() => _ended |= session.Expired(now));

    public void Ended() => Locked(() => _ended = true);

    public void Dispatch(string type, byte[] data) => Locked(() => Post(session.Dispatch(type, data)));

    public void Handle(Snowflake guild, GuildEvent[] events)
    {
        lock (_lock)
        {
            foreach (var e in events)
            {
                if (session.Handle(guild, e) is { } message) Post(message);
            }
        }
    }

    /// <summary>False: all members of the guild were sent a moment ago.</summary>
    public bool TryList(Snowflake guild, TimeSpan now) => Locked(() =>
    {
        if (_listed.TryGetValue(guild, out var last) && now - last < ListInterval) return false;
        _listed[guild] = now;
        return true;
    });

    public bool Expect(Snowflake guild) => Locked(() => session.Expect(guild));

    public void Forget(Snowflake guild) => Locked(() => session.Forget(guild));

    public void Introduce(Snowflake guild, (string Type, byte[] Data)? create)
    {
        lock (_lock)
        {
            foreach (var message in session.Introduce(guild, create)) Post(message);
        }
    }

    public void InVoice(Snowflake guild, bool joined) => Locked(() => joined ? session.VoiceGuilds.Add(guild) : session.VoiceGuilds.Remove(guild));

    private void Post(byte[] message) => _outbox?.Post(message);

    private T Locked<T>(Func<T> turn)
    {
        lock (_lock) return turn();
    }

    private void Locked(Action turn)
    {
        lock (_lock) turn();
    }
}
