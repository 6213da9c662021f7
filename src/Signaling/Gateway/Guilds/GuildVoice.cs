using System.Text.Json;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>Who is in voice in one guild, and what has to be told to whom. Plain: <see cref="CallPump"/> carries out
/// what follows. A change marks it dirty; then, in this order, the state events are taken, the nodes are brought to
/// <see cref="Wanted"/>, and the state events and <see cref="DueServerUpdates"/> go to clients (protocol/gateway.md sections 5 to 7).</summary>
/// <param name="newSessionId">Gives 32 random hexadecimal characters.</param>
public sealed partial class GuildVoice(Func<string> newSessionId)
{
    /// <summary>The news that a voice session is dead may come this much later than the op 4 of its client.</summary>
    private static readonly TimeSpan NewsDelay = TimeSpan.FromSeconds(5);

    /// <summary>Of those that a client prefers, so many are remembered.</summary>
    private const int MaxRegions = 16;

    private readonly Dictionary<Snowflake, Participant> participants = [];
    private readonly SortedDictionary<string, SlotCall> slots = new(StringComparer.Ordinal);
    private readonly List<GuildEvent> stateEvents = [];
    private readonly Ringing ringing = new();
    private string? externalRegion;
    private bool dirty;

    /// <summary>The stored guild; null when the guild is another gateway's.</summary>
    public GuildData? Data { get; set; }

    /// <summary>Held for another gateway, with or without participants, until it lets go.</summary>
    public bool External { get; private set; }

    public bool IsIdle => participants.Count == 0 && slots.Count == 0 && !External;

    public IReadOnlyCollection<Participant> Participants => participants.Values;

    /// <summary>Every slot that is in use or has an assignment.</summary>
    public IReadOnlyCollection<SlotCall> Slots => slots.Values;

    public Participant? Find(Snowflake user) => participants.GetValueOrDefault(user);

    public SlotCall? Slot(string slot) => slots.GetValueOrDefault(slot);

    /// <summary>The region that a slot's node should be in; null is any.</summary>
    public string? RegionOf(string slot) => slot.Length > 0 ? slot : External ? externalRegion : Data?.Region ?? Automatic;

    /// <summary>Asked for when a call begins or moves anyway: nobody is moved because somebody else came.</summary>
    private string? Automatic => RegionChoice.Choose(participants.Values.Where(one => one.Slot.Length == 0).Select(one => one.PreferredRegions));

    /// <summary>The guild's region is another: its call goes there. Automatic is wherever it is.</summary>
    public void RegionChanged()
    {
        if (Data?.Region is { } wanted && Slot("")?.Assignment is { } at && at.Region != wanted) WantMove("");
    }

    public bool IsUsed(string slot) => (External && slot.Length == 0) || participants.Values.Any(one => IsOn(slot, one));

    /// <summary>What the slot's node should hold.</summary>
    public Dictionary<ulong, VoiceMember> Wanted(string slot) =>
        participants.Values.Where(one => IsOn(slot, one)).ToDictionary(one => one.User.Value, one => one.ToMember());

    /// <summary>When a server update that was put off is due, or <see cref="Expire"/> has something to do; null: never.</summary>
    public TimeSpan? NextDue(TimeSpan now) =>
        participants.Values.Where(one => one.AskedAgain && one.NotBefore > now).Select(one => (TimeSpan?)one.NotBefore)
            .Concat(participants.Values.Select(one => one.LeavesFormerAt))
            .Concat(slots.Values.Select(call => call.LeavesAt))
            .Min();

    /// <summary>Ends the overlaps whose time has come.</summary>
    public void Expire(TimeSpan now)
    {
        foreach (var call in slots.Values.Where(call => call.LeavesAt <= now))
        {
            call.Left();
            dirty = true;
        }

        foreach (var one in participants.Values.Where(one => one.LeavesFormerAt <= now))
        {
            (one.FormerSlot, one.LeavesFormerAt) = (null, null);
            dirty = true;
        }
    }

    /// <summary>The slot's call should go to another node, without a gap.</summary>
    public void WantMove(string slot)
    {
        if (Slot(slot) is not { } call) return;
        call.MoveWanted = true;
        dirty = true;
    }

    /// <summary>Op 4. Whatever is refused is refused silently, as documented.</summary>
    /// <param name="gateway">The process that has the gateway session; null: not known.</param>
    public void Update(TimeSpan now, Snowflake user, string gatewaySession, VoiceStateUpdate update, string? gateway = null)
    {
        var current = Find(user);
        if (update.ChannelId is not { } channelId)
        {
            // A session that was taken over says goodbye too: that is not the new one's.
            if (current?.GatewaySession == gatewaySession) Leave(current);
            return;
        }

        if (Data?.Members.GetValueOrDefault(user) is not { } member || Data.Channel(channelId) is not { } channel) return;
        if (current is not null && current.Channel == channelId && (current.GatewaySession == gatewaySession || Brings(current, update)))
        {
            BelongTo(current, gatewaySession, gateway);
            Toggle(now, current, update);
            return;
        }

        if (!MayEnter(member, channel)) return;
        var participant = current ?? new Participant(user);
        participants[user] = participant;
        BelongTo(participant, gatewaySession, gateway);
        SetSelf(participant, update);
        if (update.PreferredRegions is { } regions) participant.PreferredRegions = [.. regions.OfType<string>().Take(MaxRegions)];
        if (Data.Private && current is null) CallJoined(user);
        Enter(participant, member, channel);
    }

    /// <summary>In a private channel: who is being rung.</summary>
    public Snowflake[] Ringing => ringing.Users;

    /// <summary>In a private channel: rings some of its recipients, or no longer. Before anybody has joined, they are rung when somebody does.</summary>
    public void Ring(TimeSpan now, IEnumerable<Snowflake> users, bool on)
    {
        if (Data is not { Private: true } channel) return;
        var here = users.Where(user => channel.Members.ContainsKey(user) && Find(user) is null);
        TellOfRinging(on ? ringing.Start(channel.Id, here, now) : ringing.Stop(channel.Id, here));
    }

    /// <summary>In a private channel: when <see cref="ExpireRinging"/> next has something to do; null: nobody is rung.</summary>
    public TimeSpan? RingingEnds => ringing.Ends;

    public void ExpireRinging(TimeSpan now)
    {
        if (Data is { Private: true } channel) TellOfRinging(ringing.Expire(channel.Id, now));
    }

    /// <summary>A moderator moves somebody, who need not be allowed in, to a voice channel of the guild; null: out of voice.</summary>
    public void Move(Snowflake user, Snowflake? to)
    {
        if (Find(user) is not { } one || one.Channel == to) return;
        if (to is not { } id) Leave(one);
        else if (Data?.Members.GetValueOrDefault(user) is { } member && Data.Channel(id) is { } channel) Enter(one, member, channel);
    }

    /// <summary>Somebody on a stage is let speak or not, or asks to.</summary>
    /// <param name="own">It is they themselves who ask.</param>
    public void ChangeStage(Snowflake user, VoiceStateChange change, bool own, DateTimeOffset now)
    {
        if (Find(user) is not { } one) return;
        var before = one.ToState();
        if (change.Suppress is { } suppress)
        {
            one.Suppress = suppress;
            one.IsSpeaker = !suppress;

            // Discord notes when somebody was invited, unless it is a bot.
            one.RequestToSpeak = suppress || own || Data?.Members.GetValueOrDefault(user) is { User.Bot: true } ? null : now;
        }

        if (own && change.Request is { } request) one.RequestToSpeak = request.At;
        if (one.ToState() != before) Announce(one);
    }

    /// <summary>The gateway session is over: so is its voice.</summary>
    public void SessionEnded(Snowflake user, string gatewaySession)
    {
        if (Find(user) is { } current && current.GatewaySession == gatewaySession) Leave(current);
    }

    /// <summary>Roles, overwrites, channels or members changed: it acts on running calls at once.</summary>
    public void Refresh()
    {
        foreach (var one in participants.Values.Where(one => one.GatewaySession is not null).ToArray())
        {
            if (Data?.Members.GetValueOrDefault(one.User) is not { } member || Data.Channel(one.Channel) is not { } channel)
            {
                Leave(one);
                continue;
            }

            var before = one.ToMember();
            SetFromGuild(one, member, channel);
            if (Data.SlotOf(channel) is var slot && slot != one.Slot) MoveTo(slot, one);
            if (one.ToMember() != before) Announce(one);
        }
    }

    /// <summary>Another gateway wants the guild served, and says who is in voice: all of it, each time.</summary>
    /// <param name="members">Null: as it was.</param>
    public void HoldExternal(string? region, IReadOnlyCollection<VoiceMember>? members)
    {
        var moves = External && region != externalRegion;
        External = true;
        externalRegion = region;
        Use("");
        if (moves) WantMove("");
        if (members is null) return;

        participants.Clear();
        foreach (var member in members)
        {
            participants[member.User] = new Participant(member.User)
            {
                Channel = member.Channel,
                SessionId = member.SessionId,
                SelfMute = member.SelfMute,
                SelfDeaf = member.SelfDeaf,
                Mute = member.Mute,
                Deaf = member.Deaf,
                Suppress = member.Suppress,
                PrioritySpeaker = member.PrioritySpeaker,
            };
        }
    }

    /// <summary>Another gateway lets go of its guild. False: it held none.</summary>
    public bool LetGo()
    {
        if (!External) return false;
        External = false;
        participants.Clear();
        slots[""].Terminated = true;
        dirty = true;
        return true;
    }

    /// <summary>A node says what became of a voice WebSocket.</summary>
    public void ConnectionChanged(TimeSpan now, VoiceSessionChanged change)
    {
        if (Find(change.User) is not { } one || one.SessionId != change.SessionId) return;
        if (one.Slot != change.Slot || Slot(change.Slot)?.Assignment?.Epoch != change.Epoch) return;
        switch (change.State, one.Connection)
        {
            case (VoiceSessionState.Connected, not VoiceConnection.Live):
                if (one.Connection != VoiceConnection.Severed) one.LiveSince = now;
                one.Connection = VoiceConnection.Live;
                one.AskedAgain = false; // a fresh server update would end what it has
                break;
            case (VoiceSessionState.Severed, VoiceConnection.Live):
                LoseLive(now, one, VoiceConnection.Severed);
                break;
            case (VoiceSessionState.Ended, VoiceConnection.Live):
                LoseLive(now, one, VoiceConnection.Lost);
                break;
            case (VoiceSessionState.Ended, VoiceConnection.Severed):
                one.Connection = VoiceConnection.Lost;
                break;
        }
    }

    /// <summary>There is something to do that a change here did not cause: a node came or went.</summary>
    public void Touch() => dirty = true;

    /// <summary>Whether anything changed since the last call.</summary>
    public bool TakeDirty()
    {
        var taken = dirty;
        dirty = false;
        return taken;
    }

    /// <summary>VOICE_STATE_UPDATEs that are due once the nodes know, in order.</summary>
    public GuildEvent[] TakeStateEvents()
    {
        GuildEvent[] taken = [.. stateEvents];
        stateEvents.Clear();
        foreach (var one in participants.Values) one.Announced = one.SessionId;
        return taken;
    }

    /// <summary>Who is now due a VOICE_SERVER_UPDATE: their state was announced, their node lets them in (or there is no
    /// node, which they are told too), and it is not what they were told last, or they asked again. Counts them as told.</summary>
    public IReadOnlyList<Participant> DueServerUpdates(TimeSpan now)
    {
        List<Participant> due = [];
        foreach (var one in participants.Values)
        {
            if (one.GatewaySession is null || one.Announced != one.SessionId || Slot(one.Slot) is not { } slot) continue;
            if (slot.Assignment is null ? one.FormerSlot is not null : !slot.Holds(one)) continue;
            var truth = slot.Assignment?.Epoch ?? Participant.ToldOfNone;
            if (one.FormerSlot is not null) one.LeavesFormerAt ??= now + SlotCall.Overlap;
            if (one.Told == truth && !(one.AskedAgain && one.NotBefore <= now)) continue;
            one.Told = truth;
            one.AskedAgain = false;
            one.Connection = VoiceConnection.Awaited;
            due.Add(one);
        }

        return due;
    }

    /// <summary>Forgets a slot that nobody uses.</summary>
    public void Remove(string slot) => slots.Remove(slot);

    private bool MayEnter(Member member, Channel channel)
    {
        if (channel.Type is not (ChannelType.Voice or ChannelType.Stage) && !Data!.Private) return false;
        var permissions = GuildPermissions.Of(Data!, member, channel);
        if (!permissions.HasFlag(Permissions.Connect)) return false;
        var others = participants.Values.Count(one => one.Channel == channel.Id && one.User != member.User.Id);
        return channel.UserLimit == 0 || others < channel.UserLimit || permissions.HasFlag(Permissions.MoveMembers);
    }

    /// <summary>Op 4 for where the session is already.</summary>
    private void Toggle(TimeSpan now, Participant one, VoiceStateUpdate update)
    {
        var before = one.ToState();
        SetSelf(one, update);
        var changed = one.ToState() != before;

        // Libraries repeat op 4 after a lost voice session and wait for a fresh server update (gateway.md section 5).
        // Somebody who mutes while connecting or resuming has lost nothing and must not be made to start again.
        // Who brings their voice session has lost nothing but the news: an update that was on its way to the gateway that is gone.
        var again = Brings(one, update)
            ? one.Connection is VoiceConnection.Lost or VoiceConnection.Awaited
            : one.Connection == VoiceConnection.Lost || (one.Connection is not (VoiceConnection.Live or VoiceConnection.Unknown) && !changed);
        one.Doubted = one.Connection is VoiceConnection.Live or VoiceConnection.Unknown && !changed ? now : null;
        if (again) AnswerAgain(now, one);
        if (changed) Announce(one);
        else if (again) Announce(one, one.GatewaySession);
    }

    /// <summary>The client has this voice session, whatever became of the gateway session that it joined with.</summary>
    private static bool Brings(Participant one, VoiceStateUpdate update) => update.SessionId == one.SessionId;

    private static void BelongTo(Participant one, string gatewaySession, string? gateway) =>
        (one.GatewaySession, one.Gateway, one.OrphanedAt) = (gatewaySession, gateway, null);

    private void LoseLive(TimeSpan now, Participant one, VoiceConnection to)
    {
        one.Connection = to;
        one.Rejoins.Lived(now - one.LiveSince);
        if (!(now - one.Doubted <= NewsDelay)) return;
        AnswerAgain(now, one);
        Announce(one, one.GatewaySession);
    }

    /// <summary>The same assignment once more, at once or after a while.</summary>
    private void AnswerAgain(TimeSpan now, Participant one)
    {
        if (one.Told == 0 || one.AskedAgain) return; // on its way already
        one.AskedAgain = true;
        one.NotBefore = one.Rejoins.Next(now);
        dirty = true;
    }

    private void Enter(Participant one, Member member, Channel channel)
    {
        one.RequestToSpeak = null;
        one.IsSpeaker = GuildPermissions.Of(Data!, member, channel).HasFlag(Permissions.MuteMembers);
        SetFromGuild(one, member, channel);
        Connect(one, channel);
    }

    private static bool IsOn(string slot, Participant one) => one.Slot == slot || one.FormerSlot == slot;

    /// <summary>The channel is served elsewhere from now on; whoever is in it takes the voice session along, and is on both until then.</summary>
    private void MoveTo(string slot, Participant one)
    {
        // Nobody told them yet that they should go: then they just stay.
        var stays = one.FormerSlot == slot && one.LeavesFormerAt is null;
        (one.FormerSlot, one.LeavesFormerAt) = (stays ? null : one.Slot, null);
        one.Slot = slot;
        Use(slot);
    }

    /// <summary>A voice session that has nothing to do with the one before.</summary>
    private void Connect(Participant one, Channel channel)
    {
        (one.FormerSlot, one.LeavesFormerAt) = (null, null);
        one.Channel = channel.Id;
        one.Slot = Data!.SlotOf(channel);
        one.SessionId = newSessionId();
        one.Connection = VoiceConnection.Awaited;
        one.Doubted = null;
        one.Told = 0;
        one.AskedAgain = false;
        Use(one.Slot);
        Announce(one);
    }

    private void Leave(Participant one)
    {
        participants.Remove(one.User);
        Announce(one.ToState() with { ChannelId = null }, onlySession: null);
        if (Data is { Private: true } call && participants.Count == 0) Tell(ringing.End(call.Id));
    }

    private void CallJoined(Snowflake user)
    {
        var answered = ringing.Stop(Data!.Id, [user]);
        if (participants.Count == 1) Tell(ringing.Begin(Data.Id));
        else if (answered is not null) Tell(answered);
    }

    private void TellOfRinging(GuildEvent? change)
    {
        if (change is not null && participants.Count > 0) Tell(change);
    }

    private void Tell(GuildEvent what)
    {
        stateEvents.Add(what);
        dirty = true;
    }

    private void Use(string slot)
    {
        slots.TryAdd(slot, new SlotCall(slot));
        slots[slot].Terminated = false;
        dirty = true;
    }

    private void Announce(Participant one, string? onlySession = null) => Announce(one.ToState(), onlySession);

    private void Announce(VoiceState state, string? onlySession)
    {
        // A private call's have neither (protocol/gateway.md section 6).
        if (!Data!.Private) state = state with { GuildId = Data.Id, Member = Data.Members.GetValueOrDefault(state.UserId) };
        var json = JsonSerializer.SerializeToUtf8Bytes(state, GatewayJson.Default.VoiceState);
        Tell(new GuildEvent("VOICE_STATE_UPDATE", json, onlySession));
    }

    private static void SetSelf(Participant one, VoiceStateUpdate update) =>
        (one.SelfMute, one.SelfDeaf, one.SelfVideo) = (update.SelfMute, update.SelfDeaf, update.SelfVideo);

    private void SetFromGuild(Participant one, Member member, Channel channel)
    {
        one.Mute = member.Mute;
        one.Deaf = member.Deaf;
        var may = GuildPermissions.Of(Data!, member, channel);
        one.Suppress = channel.Type == ChannelType.Stage ? !one.IsSpeaker : !may.HasFlag(Permissions.Speak);
        one.PrioritySpeaker = may.HasFlag(Permissions.PrioritySpeaker);
    }
}
