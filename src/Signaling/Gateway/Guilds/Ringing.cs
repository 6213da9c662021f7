using System.Text.Json;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What recipients of a private channel are told of the call in it besides the voice states: that it begins and ends, and who
/// is being rung. Who comes is rung no longer.</summary>
internal sealed class Ringing
{
    /// <summary>Who does not answer for so long is rung no longer.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly Dictionary<Snowflake, TimeSpan> until = [];

    public Snowflake[] Users => [.. until.Keys.Order()];

    /// <summary>When the first of them is rung no longer; null: nobody is.</summary>
    public TimeSpan? Ends => until.Count == 0 ? null : until.Values.Min();

    public GuildEvent Begin(Snowflake channel) =>
        Event("CALL_CREATE", new Call(channel) { Region = "", Ringing = Users, VoiceStates = [] });

    /// <summary>Null: nothing changes.</summary>
    public GuildEvent? Start(Snowflake channel, IEnumerable<Snowflake> of, TimeSpan now) =>
        Change(channel, of.Count(user => until.TryAdd(user, now + Longest)));

    /// <summary>Null: nothing changes.</summary>
    public GuildEvent? Stop(Snowflake channel, IEnumerable<Snowflake> of) => Change(channel, of.Count(until.Remove));

    /// <summary>Ends what has lasted long enough. Null: nothing changes.</summary>
    public GuildEvent? Expire(Snowflake channel, TimeSpan now) => Stop(channel, [.. until.Keys.Where(user => until[user] <= now)]);

    public GuildEvent End(Snowflake channel)
    {
        until.Clear();
        return Event("CALL_DELETE", new Call(channel));
    }

    private GuildEvent? Change(Snowflake channel, int count) =>
        count == 0 ? null : Event("CALL_UPDATE", new Call(channel) { Region = "", Ringing = Users });

    private static GuildEvent Event(string type, Call call) => new(type, JsonSerializer.SerializeToUtf8Bytes(call, GatewayJson.Default.Call), null);
}
