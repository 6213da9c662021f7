using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>A private channel is a guild with nothing but its recipients and itself: the call in it has a voice server, an epoch
/// and voice states like any other, and the channel's id as the server's (architecture.md section 2).</summary>
public sealed partial class GuildGrain
{
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
        voice.Ring(recipients, on);
        _ = Proceed();
        return Task.CompletedTask;
    }

    private static PrivateChannel Payload(GuildData channel) =>
        new(channel.Id, channel.Channels[0].Type, [.. channel.Members.Values.Select(member => member.User)])
        {
            OwnerId = channel.OwnerId == default(Snowflake) ? null : channel.OwnerId,
        };
}
