using System.Text.Json;
using System.Text.Json.Nodes;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>A private channel is a guild with nothing but its recipients and itself: the call in it has a voice server, an epoch
/// and voice states like any other, and the channel's id as the server's (architecture.md section 2).</summary>
public sealed partial class GuildGrain
{
    private Task ringingEnds = Task.CompletedTask;

    private GuildData? PrivateChannel => voice.Data is { Private: true } channel ? channel : null;

    public async Task<PrivateChannel> Open(User[] recipients, Snowflake? owner)
    {
        if (voice.Data is null && !voice.External)
        {
            var type = owner is null ? ChannelType.Dm : ChannelType.GroupDm;
            voice.Data = stored.Value.Guild = new GuildData
            {
                Id = Id,
                Name = "",
                OwnerId = owner ?? default,
                Private = true,
                CreatedAt = time.GetUtcNow(),
                Channels = [new Channel(Id, type, "")],
                Members = recipients.ToDictionary(user => user.Id, user => new Member(user) { JoinedAt = time.GetUtcNow() }),
            };
            await stored.Save();
        }

        await stored.Save(changed: false);
        return Payload(PrivateChannel ?? throw new InvalidOperationException("a guild has this id"));
    }

    public Task<PrivateChannel?> GetPrivate() => Task.FromResult(PrivateChannel is { } channel ? Payload(channel) : null);

    public Task<Call?> GetCall() => Task.FromResult(
        PrivateChannel is null || voice.Participants.Count == 0
            ? null
            : new Call(Id) { Region = "", Ringing = voice.Ringing, VoiceStates = [.. voice.Participants.Select(one => one.ToState())] });

    public Task Ring(Snowflake[] recipients, bool on)
    {
        voice.Ring(pump.Now, recipients, on);
        if (ringingEnds.IsCompleted) ringingEnds = EndRinging();
        _ = Proceed();
        return Task.CompletedTask;
    }

    public async Task Leave(Snowflake user)
    {
        if (PrivateChannel is not { } channel || !channel.Members.TryGetValue(user, out var member)) return;
        voice.Ring(pump.Now, [user], on: false);
        voice.Move(user, to: null);
        if (channel.Channels[0].Type == ChannelType.GroupDm)
        {
            channel.Members.Remove(user);
            if (channel.OwnerId == user) channel.OwnerId = channel.Members.Keys.Order().FirstOrDefault();
            await stored.Save();
            var left = new JsonObject { ["channel_id"] = Id.ToString(), ["user"] = JsonSerializer.SerializeToNode(member.User, GatewayJson.Default.User) };
            Publish([new GuildEvent("CHANNEL_RECIPIENT_REMOVE", JsonSerializer.SerializeToUtf8Bytes(left), null)]);
        }

        _ = Proceed();
    }

    private async Task EndRinging()
    {
        while (voice.RingingEnds is { } at)
        {
            var wait = at - pump.Now;
            if (wait > TimeSpan.Zero) await Task.Delay(wait, time);
            else voice.ExpireRinging(pump.Now);
            _ = Proceed();
        }
    }

    private static PrivateChannel Payload(GuildData channel) =>
        new(channel.Id, channel.Channels[0].Type, [.. channel.Members.Values.Select(member => member.User)])
        {
            OwnerId = channel.OwnerId == default(Snowflake) ? null : channel.OwnerId,
        };
}
