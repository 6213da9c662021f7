using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Voice.Signaling.Gateway;
using Voice.Signaling.Gateway.Guilds;
using Voice.VoiceAllocator;
using Xunit;

namespace Voice.Tests.Signaling.Guilds;

/// <summary>A guild with a naive pump, a naive node per slot, and a naive client that adds up what it was told.</summary>
internal sealed class VoiceWorld
{
    public const ulong Owner = 100;
    public static readonly Snowflake GuildId = 1, Lounge = 11, Games = 12, Stage = 13, Text = 14;

    private readonly Dictionary<(string Slot, long Epoch), NaiveNode> nodes = [];
    private readonly Dictionary<ulong, VoiceState> seen = [];
    private long epoch;
    private int sessions;

    public VoiceWorld()
    {
        Voice = new GuildVoice(() => $"{++sessions:x32}") { Data = Data };
        Data.Roles.Add(new Role(GuildId, "@everyone"));
        Data.Channels.AddRange(
        [
            new Channel(Lounge, ChannelType.Voice, "Lounge"),
            new Channel(Games, ChannelType.Voice, "Games"),
            new Channel(Stage, ChannelType.Stage, "Stage"),
            new Channel(Text, ChannelType.Text, "text"),
        ]);
        foreach (var user in new[] { 1ul, 2ul, 3ul, 4ul, Owner }) Data.Members[user] = new Member(new User(user, $"user{user}"));
    }

    public GuildData Data { get; } = new() { Id = GuildId, Name = "guild", OwnerId = Owner };

    public GuildVoice Voice { get; }

    /// <summary>Stands still unless a test moves it.</summary>
    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

    public bool HasNode { get; set; } = true;

    public bool NodeAnswers { get; set; } = true;

    /// <summary>Of every VOICE_SERVER_UPDATE, for which voice session it was, and when.</summary>
    public List<(string VoiceSession, string Slot, long Epoch, TimeSpan At)> Told { get; } = [];

    /// <summary>Every VOICE_SERVER_UPDATE so far; epoch 0 stands for endpoint null.</summary>
    public List<(string Session, long Epoch)> ServerUpdates { get; } = [];

    public void Join(ulong user, string session, Snowflake channel) => Update(user, session, new VoiceStateUpdate(GuildId, channel));

    public void Join(ulong user, string session, Snowflake channel, TimeSpan now) => Voice.Update(now, user, session, new VoiceStateUpdate(GuildId, channel));

    public void Update(ulong user, string session, VoiceStateUpdate update) => Voice.Update(Now, user, session, update);

    public void JoinLive(ulong user, string session, Snowflake channel)
    {
        Join(user, session, channel);
        Settle();
        SessionChanged(user, VoiceSessionState.Connected);
    }

    public void SessionChanged(ulong user, VoiceSessionState state)
    {
        if (Voice.Find(user) is not { } one || Voice.Slot(one.Slot)?.Assignment is not { } at) return;
        Voice.ConnectionChanged(Now, new VoiceSessionChanged(GuildId.Value, one.Slot, at.Epoch, user, one.SessionId, state));
    }

    public void Change(Snowflake id, Func<Channel, Channel> change)
    {
        var index = Data.Channels.FindIndex(channel => channel.Id == id);
        Data.Channels[index] = change(Data.Channels[index]);
    }

    public void Deny(Snowflake channel, Permissions bits) =>
        Change(channel, it => it with { PermissionOverwrites = [new PermissionOverwrite(GuildId, 0) { Deny = (ulong)bits }] });

    public void Allow(Snowflake channel, Permissions bits) =>
        Change(channel, it => it with { PermissionOverwrites = [new PermissionOverwrite(GuildId, 0) { Allow = (ulong)bits }] });

    public Dictionary<ulong, VoiceMember> Held(string slot) => nodes[(slot, Voice.Slot(slot)!.Assignment!.Epoch)].Members;

    public void LoseNode(string slot)
    {
        if (Voice.Slot(slot) is not { Assignment: { } at } call) return;
        call.Unassign();
        nodes.Remove((slot, at.Epoch));
        Voice.Touch();
    }

    /// <summary>The node forgets its revision, so that the next delta does not follow.</summary>
    public void Forget(string slot) => nodes[(slot, Voice.Slot(slot)!.Assignment!.Epoch)].Revision = -1;

    /// <summary>Every node that lets this user's present session in, by epoch.</summary>
    public long[] ServedBy(ulong user) => Voice.Find(user) is not { } one
        ? []
        : [.. nodes.Where(node => node.Value.Members.GetValueOrDefault(user)?.SessionId == one.SessionId).Select(node => node.Key.Epoch).Order()];

    public IEnumerable<VoiceMember> HeldBy(string slot, long epoch) => nodes[(slot, epoch)].Members.Values.OrderBy(member => member.User);

    public void Pass(TimeSpan time)
    {
        Now += time;
        foreach (var key in nodes.Where(node => node.Value.EndsAt <= Now).Select(node => node.Key).ToArray()) nodes.Remove(key);
    }

    /// <summary>Does what CallPump does, one thing after the other, and hears what it tells clients.</summary>
    public GuildEvent[] Settle()
    {
        List<GuildEvent> all = [];
        Voice.Expire(Now);
        while (Voice.TakeDirty())
        {
            all.AddRange(Voice.TakeStateEvents());
            foreach (var slot in Voice.Slots.ToArray()) Settle(slot);
            foreach (var one in Voice.DueServerUpdates(Now))
            {
                ServerUpdates.Add((one.GatewaySession!, Voice.Slot(one.Slot)!.Assignment?.Epoch ?? 0));
                Told.Add((one.SessionId, one.Slot, ServerUpdates[^1].Epoch, Now));
                all.Add(new GuildEvent("VOICE_SERVER_UPDATE", [], one.GatewaySession));
            }

            foreach (var slot in Voice.Slots.Where(slot => slot is { Leaving: not null, LeavesAt: null }))
            {
                slot.Leave(Now);
                if (nodes.TryGetValue((slot.Slot, slot.Leaving!.Assignment.Epoch), out var former)) former.EndsAt = Now + SlotCall.Overlap;
            }
        }

        foreach (var state in all.Where(one => one is { Type: "VOICE_STATE_UPDATE", OnlySession: null }).Select(FakeGateway.State))
        {
            if (state.ChannelId is null) seen.Remove(state.UserId.Value);
            else seen[state.UserId.Value] = state;
        }

        return [.. all];
    }

    public void Random(int step, ulong user, int which)
    {
        Snowflake[] channels = [Lounge, Games, Stage];
        var session = $"s{user}.{which % 2}";
        switch (step)
        {
            case 0 or 1: Join(user, session, channels[which]); break;
            case 2: Update(user, session, new VoiceStateUpdate(GuildId, channels[which]) { SelfMute = true }); break;
            case 3: Update(user, session, new VoiceStateUpdate(GuildId, null)); break;
            case 4: Voice.SessionEnded(user, session); break;
            case 5: SessionChanged(user, (VoiceSessionState)which); break;
            case 6: HasNode = which > 0; break;
            case 7: NodeAnswers = which > 0; break;
            case 8: LoseNode(which == 0 ? "eu" : ""); break;
            case 9:
                Change(channels[which], channel => channel with { RtcRegion = channel.RtcRegion is null ? "eu" : null });
                Voice.Refresh();
                break;
            case 10:
                Data.Members[user] = Data.Members[user] with { Mute = which == 0 };
                Voice.Refresh();
                break;
            case 11: Voice.Move(user, which == 0 ? null : channels[which]); break;
            case 12: Pass(TimeSpan.FromSeconds(1 << which)); break;
            case 13: Voice.WantMove(which == 0 ? "eu" : ""); break;
            default: Settle(); break;
        }
    }

    public void AssertConsistent()
    {
        Assert.Equal(Voice.Slots.Select(slot => (slot.Slot, slot.Assignment!.Epoch)), nodes.Keys.Order());
        foreach (var slot in Voice.Slots) Assert.Equal(Voice.Wanted(slot.Slot), Held(slot.Slot));
        Assert.Equal(
            Voice.Participants.ToDictionary(one => one.User.Value, one => one.ToState()),
            seen.ToDictionary(one => one.Key, one => one.Value with { GuildId = null, Member = null }));
        foreach (var one in Voice.Participants)
            Assert.Equal(Voice.Slot(one.Slot)!.Assignment!.Epoch, ServerUpdates.Last(update => update.Session == one.GatewaySession).Epoch);
    }

    private void Settle(SlotCall slot)
    {
        if (!Voice.IsUsed(slot.Slot))
        {
            slot.Unassign();
            slot.Left();
            foreach (var key in nodes.Keys.Where(key => key.Slot == slot.Slot).ToArray()) nodes.Remove(key);
            Voice.Remove(slot.Slot);
            return;
        }

        if (slot.Assignment is null)
        {
            if (!HasNode) return;
            slot.Assign(NextAssignment(slot));
        }

        Push(slot.Current!, slot.Slot);
        if (slot is { MoveWanted: true, Leaving: null } && HasNode)
        {
            if (Push(slot.Prepare(NextAssignment(slot)), slot.Slot)) slot.Switch();
            else slot.Abandon();
        }

        if (slot.Leaving?.Restrict(Voice.Wanted(slot.Slot)) is { } less) Apply(less);
    }

    private Assignment NextAssignment(SlotCall slot) => new(GuildId.Value, slot.Slot, $"node-{++epoch}", "node.example:1", "local", epoch);

    private bool Push(SlotHold hold, string slot)
    {
        while (hold.Push(Voice.Wanted(slot)) is { } update)
        {
            if (!NodeAnswers)
            {
                hold.Doubt();
                return false;
            }

            Assert.True(hold.Acknowledge(Apply(update)));
        }

        return true;
    }

    private GuildAck Apply(GuildUpdate update)
    {
        var key = (update.Slot, update.Epoch);
        if (!nodes.TryGetValue(key, out var known)) known = new NaiveNode { Revision = -1 };
        if (update.Whole) known.Members.Clear();
        else if (known.Revision != update.Revision - 1) return Ack(needWhole: true);
        foreach (var user in update.Removed) Assert.True(known.Members.Remove(user));
        foreach (var member in update.Put) known.Members[member.User] = member;
        known.Revision = update.Revision;
        nodes[key] = known;
        return Ack(needWhole: false);

        GuildAck Ack(bool needWhole) => new(update.Guild, update.Slot, update.Epoch, update.Revision, needWhole);
    }

    private sealed class NaiveNode
    {
        public long Revision { get; set; }

        public Dictionary<ulong, VoiceMember> Members { get; } = [];

        /// <summary>By its own clock, after an overlap.</summary>
        public TimeSpan? EndsAt { get; set; }
    }
}
