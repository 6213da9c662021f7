using System.Text.Json;
using CsCheck;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway.Guilds;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

public class StoredVoiceTests
{
    private readonly VoiceWorld world = new();

    [Fact]
    public void Whatever_happened_the_stored_voice_is_taken_up_as_it_was() =>
        Gen.Select(Gen.Int[0, 14], Gen.ULong[1, 4], Gen.Int[0, 2]).Array[0, 40].Sample(steps =>
        {
            var before = new VoiceWorld();
            foreach (var (step, user, which) in steps) before.Random(step, user, which);
            before.Settle();

            var record = before.Voice.ToRecord();
            var read = JsonSerializer.Deserialize<VoiceRecord>(JsonSerializer.SerializeToUtf8Bytes(record))!;
            var after = new VoiceWorld();
            after.Voice.Restore(read);

            Assert.True(read.SaysTheSame(record));
            Assert.True(after.Voice.ToRecord().SaysTheSame(record));
            Assert.Equal(before.Voice.Participants.Select(one => one.ToState()).OrderBy(one => one.UserId), after.Voice.Participants.Select(one => one.ToState()).OrderBy(one => one.UserId));
            foreach (var slot in before.Voice.Slots) Assert.Equal(before.Voice.Wanted(slot.Slot), after.Voice.Wanted(slot.Slot));
            Assert.Empty(after.Voice.TakeStateEvents());
        });

    [Fact]
    public void Who_brings_their_voice_session_to_another_gateway_session_keeps_it_and_nobody_is_told()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        var voiceSession = world.Voice.Find(1)!.SessionId;
        world.Settle();

        world.Update(1, "s2", Joins() with { SessionId = voiceSession });

        Assert.Empty(world.Settle());
        Assert.Equal(("s2", voiceSession), (world.Voice.Find(1)!.GatewaySession, world.Voice.Find(1)!.SessionId));
        world.Voice.SessionEnded(1, "s1");
        Assert.NotNull(world.Voice.Find(1));
    }

    [Fact]
    public void Another_device_takes_over_with_a_session_of_its_own()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        var voiceSession = world.Voice.Find(1)!.SessionId;

        world.Update(1, "s2", Joins());

        Assert.NotEqual(voiceSession, world.Voice.Find(1)!.SessionId);
        Assert.Contains(world.Settle(), one => one is { Type: "VOICE_SERVER_UPDATE", OnlySession: "s2" });
    }

    [Fact]
    public void Who_missed_where_their_call_went_is_told_again()
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        world.LoseNode("");
        world.Settle(); // the update went to a gateway that was gone

        world.Update(1, "s2", Joins() with { SessionId = world.Voice.Find(1)!.SessionId });

        Assert.Contains(world.Settle(), one => one is { Type: "VOICE_SERVER_UPDATE", OnlySession: "s2" });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_node_says_whether_a_client_from_the_store_is_still_connected(bool connected)
    {
        world.JoinLive(1, "s1", VoiceWorld.Lounge);
        var record = world.Voice.ToRecord();
        var after = new GuildVoice(() => "new") { Data = world.Data };
        after.Restore(record);
        after.Update(world.Now, 1, "s1", Joins()); // asks before anybody knows
        Assert.False(after.Find(1)!.AskedAgain);

        after.Learn(world.Now, new GuildAck(VoiceWorld.GuildId.Value, "", record.Assignments[0].Epoch, 1, false, connected ? [1ul] : []));

        Assert.Equal(connected ? VoiceConnection.Live : VoiceConnection.Lost, after.Find(1)!.Connection);
        Assert.Equal(!connected, after.Find(1)!.AskedAgain);
    }

    [Fact]
    public void Whose_gateway_is_gone_leaves_after_the_grace_and_not_before()
    {
        world.Voice.Update(world.Now, 1, "s1", Joins(), "gone");
        world.Voice.Update(world.Now, 2, "s2", Joins(), "here");
        world.Voice.Update(world.Now, 3, "s3", Joins(), "gone");
        world.Settle();

        Look(TimeSpan.Zero);
        Look(GuildVoice.OrphanGrace - TimeSpan.FromSeconds(1));
        world.Voice.Update(world.Now, 3, "s4", Joins() with { SessionId = world.Voice.Find(3)!.SessionId }, "here");
        Assert.Equal(3, world.Voice.Participants.Count);

        Look(TimeSpan.FromSeconds(1));

        Assert.Equal([2ul, 3ul], world.Voice.Participants.Select(one => one.User.Value).Order());
        Assert.Null(FakeGateway.State(Assert.Single(world.Settle(), one => one is { Type: "VOICE_STATE_UPDATE", OnlySession: null })).ChannelId);
    }

    [Fact]
    public void A_gateway_that_was_only_not_known_yet_loses_nobody()
    {
        world.Voice.Update(world.Now, 1, "s1", Joins(), "new");
        world.Voice.ExpireOrphans(world.Now, _ => false);
        world.Voice.ExpireOrphans(world.Now += TimeSpan.FromSeconds(5), _ => true);
        world.Voice.ExpireOrphans(world.Now += GuildVoice.OrphanGrace, _ => false);

        Assert.NotNull(world.Voice.Find(1));
    }

    private static VoiceStateUpdate Joins() => new(VoiceWorld.GuildId, VoiceWorld.Lounge);

    private void Look(TimeSpan later) => world.Voice.ExpireOrphans(world.Now += later, gateway => gateway == "here");
}
