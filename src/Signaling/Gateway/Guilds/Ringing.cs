using System.Text.Json;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What recipients of a private channel are told of the call in it besides the voice states: that it begins and ends, and who
/// is being rung. Who comes is rung no longer.</summary>
internal sealed class Ringing
{
    private readonly HashSet<Snowflake> users = [];

    public Snowflake[] Users => [.. users.Order()];

    public GuildEvent Begin(Snowflake channel) =>
        Event("CALL_CREATE", new Call(channel) { Region = "", Ringing = Users, VoiceStates = [] });

    /// <summary>Null: nothing changes.</summary>
    public GuildEvent? Set(Snowflake channel, IEnumerable<Snowflake> of, bool on)
    {
        var before = users.Count;
        if (on) users.UnionWith(of);
        else users.ExceptWith(of);
        return users.Count == before ? null : Event("CALL_UPDATE", new Call(channel) { Region = "", Ringing = Users });
    }

    public GuildEvent End(Snowflake channel)
    {
        users.Clear();
        return Event("CALL_DELETE", new Call(channel));
    }

    private static GuildEvent Event(string type, Call call) => new(type, JsonSerializer.SerializeToUtf8Bytes(call, GatewayJson.Default.Call), null);
}
