using System.Text.Json;
using Microsoft.Extensions.Logging;
using Voice.Protocol;
using Voice.Protocol.Gateway;
using Voice.Protocol.Links;
using Voice.VoiceAllocator;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>Carries out what <see cref="GuildVoice"/> wants, one round at a time, on the guild grain's turn: gets voice
/// servers, pushes voice states to them and waits until they have them, and only then tells clients. Whatever changes
/// while a round runs is done together in the next: a thousand joins at once make one assignment and two or three pushes.</summary>
public sealed partial class CallPump(
    ulong guild,
    GuildVoice voice,
    Epochs epochs,
    IAllocatorGrain allocator,
    VoiceTokenKey tokens,
    Func<GuildEvent[], Task> publish,
    TimeProvider time,
    ILogger log)
{
    /// <summary>A node that does not answer a push for this long is asked after, and then given up.</summary>
    public static readonly TimeSpan AckTimeout = TimeSpan.FromSeconds(3);

    /// <summary>A guild that was just taken up from the store knows its node, and the allocator perhaps does not: they may have been
    /// lost together. That much time the node gets to come back with the call (design.md section 3.9).</summary>
    public static readonly TimeSpan AdoptWithin = TimeSpan.FromSeconds(12);

    /// <summary>Whoever waits for a node is told when one arrives, by the allocator that was asked. That may be another activation by then.</summary>
    public static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private const int MaxFailedPushes = 4;
    private const int MaxFailedMoves = 2;
    private const int MaxWholePushes = 3;

    private readonly Dictionary<(string Slot, long Epoch), INodeLink> links = [];
    private readonly Dictionary<(string Slot, long Epoch), TaskCompletionSource<bool>> awaited = [];
    private readonly Dictionary<string, Placed> offered = [];
    private readonly long started = time.GetTimestamp();
    private Task running = Task.CompletedTask;
    private Task retry = Task.CompletedTask;
    private TimeSpan wakeAt = TimeSpan.MaxValue;
    private bool stopped;

    /// <summary>The clock that <see cref="GuildVoice"/> is told.</summary>
    public TimeSpan Now => time.GetElapsedTime(started);

    /// <summary>Done when all that is wanted now is carried out, as far as it can be.</summary>
    public Task Run() => running.IsCompleted ? running = RunRounds() : running;

    /// <summary>The grain is active elsewhere from now on, or will be. Answers no longer come here, and whoever is taken for silent would be given up.</summary>
    public void Stop() => stopped = true;

    public void Acknowledged(GuildAck ack)
    {
        if (voice.Slot(ack.Slot) is not { } call) return;
        if (call.Find(ack.Epoch) is { } hold)
        {
            if (!hold.Acknowledge(ack)) return;
            voice.Learn(Now, ack);
            if (hold == call.Leaving && hold.NeedsWhole) voice.Touch();
            Answer(ack.Slot, ack.Epoch, true);
        }
        else if (call.HighestEpoch is > 0 and var ours && ack.Epoch > ours)
        {
            // The node remembers a later assignment than we do (our database was put back): count on from there.
            epochs.Seen(ack.Epoch);
            NodeLost(ack.Slot, ours, next: null);
        }
    }

    /// <summary>The assignment's node is gone. There is nothing that could overlap: clients hear of the next as soon as it has their states.</summary>
    /// <param name="next">Where the allocator keeps a place for the slot; null: it has to be asked.</param>
    public void NodeLost(string slot, long epoch, Placed? next)
    {
        if (voice.Slot(slot) is not { } call || call.Find(epoch) is not { } lost) return;
        if (lost == call.Current) call.Unassign();
        if (lost == call.Leaving) call.Left();
        if (lost != call.Leaving && next is not null) offered[slot] = next;

        voice.Touch();
        Answer(slot, epoch, false); // whoever waits for it ends the move
    }

    /// <summary>The assignment's node wants to be rid of it, and serves it until another does.</summary>
    public void Move(string slot, long epoch)
    {
        if (voice.Slot(slot) is { } call && call.Assignment?.Epoch == epoch) voice.WantMove(slot);
    }

    /// <summary>The node has a new link: a push that was under way goes out again, whole.</summary>
    public void Relinked(string slot, long epoch, INodeLink link)
    {
        if (voice.Slot(slot)?.Find(epoch) is not { } hold) return;
        links[(slot, epoch)] = link;
        hold.Doubt();
        voice.Touch();
        Answer(slot, epoch, true);
    }

    /// <summary>A node hosts something that the allocator does not know of. It says so with each report.</summary>
    public async Task Hosted(HostedGuild hosted, string nodeId, INodeLink link)
    {
        epochs.Seen(hosted.Epoch);
        var call = voice.Slot(hosted.Slot);
        var ours = call?.Assignment;
        if (ours is not null && ours.Epoch == hosted.Epoch && ours.NodeId == nodeId)
        {
            if (call!.IsMoving) return;
            if (await allocator.Claim(ours) is not { } held) NodeLost(hosted.Slot, hosted.Epoch, next: null);
            else if (links.TryAdd((hosted.Slot, hosted.Epoch), held.Link)) voice.Touch();
            return;
        }

        if (call?.Find(hosted.Epoch)?.Assignment.NodeId == nodeId) return; // it comes or goes, in its own time
        await link.Drop(new GuildDrop(hosted.Guild, hosted.Slot, hosted.Epoch));
    }

    public string TokenFor(Participant one, Assignment at) => tokens.Sign(
        new VoiceToken(guild, one.Channel.Value, one.User.Value, one.SessionId, at.NodeId, at.Epoch, at.Slot), time.GetUtcNow());

    private async Task RunRounds()
    {
        // Calls that wait for this turn to end become part of the first round.
        await Task.Yield();
        var now = Now;
        voice.Expire(now);
        while (!stopped && voice.TakeDirty())
        {
            var events = voice.TakeStateEvents();
            await Task.WhenAll(voice.Slots.ToArray().Select(Settle));

            // State before server update (gateway.md section 7): one message keeps the order.
            now = Now;
            GuildEvent[] all = [.. events, .. voice.DueServerUpdates(now).Select(ServerUpdate)];
            await publish(all);
            foreach (var call in voice.Slots.Where(call => call is { Leaving: not null, LeavesAt: null }).ToArray()) await Leave(call, now);
        }

        foreach (var (slot, epoch) in links.Keys.Where(key => voice.Slot(key.Slot)?.Find(key.Epoch) is null).ToArray()) links.Remove((slot, epoch));

        // Of the same moment: what fell due since then is neither given above nor would it be waited for.
        var next = voice.NextDue(now) ?? TimeSpan.MaxValue;
        if (voice.Slots.Any(call => call.Current is null && voice.IsUsed(call.Slot)) && next > now + AskAgain) next = now + AskAgain;
        if (next < wakeAt) _ = WakeAt(next);
    }

    /// <summary>Brings one slot to where it should be: on a node that has acknowledged its voice states, or nowhere.</summary>
    private async Task Settle(SlotCall call)
    {
        try
        {
            if (!voice.IsUsed(call.Slot)) await Release(call);
            else if (!await Serve(call) || !await Move(call)) RetrySoon();
            if (call.Leaving is { } former && former.Restrict(voice.Wanted(call.Slot)) is { } less) await LinkOf(former).Push(less);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(e, guild, call.Slot);
            call.Current?.Doubt();
            call.Abandon();
            RetrySoon();
        }
    }

    /// <summary>False: no node answers; try again later.</summary>
    private async Task<bool> Serve(SlotCall call)
    {
        string? avoid = null;
        if (!await Adopt(call)) return false;
        for (var failed = 0; failed < MaxFailedPushes; failed++)
        {
            // Without any node the guild waits: the allocator says when one arrives.
            if (call.Current is null && !await Assign(call, avoid)) return true;
            if (call.Current is not { } hold || await Push(call.Slot, hold) || stopped) return true;
            if (call.Current != hold) continue;

            // No answer. Perhaps only the link's gateway is gone: then another link is tried once, and then another node.
            var silent = hold.Assignment;
            hold.Doubt();
            LogSilent(silent.NodeId, guild, call.Slot);
            if (await allocator.Probe(silent.NodeId) && failed == 0 && await allocator.Claim(silent) is { } again)
            {
                links[(call.Slot, silent.Epoch)] = again.Link;
            }
            else if (call.Current == hold)
            {
                avoid = silent.NodeId;
                await LinkOf(hold).Drop(new GuildDrop(guild, call.Slot, silent.Epoch));
                if (call.Current == hold) call.Unassign();
            }
        }

        return false;
    }

    /// <summary>Finds the way to the node that the store names. False: it is not there yet.</summary>
    private async Task<bool> Adopt(SlotCall call)
    {
        if (call.Assignment is not { } at || links.ContainsKey((call.Slot, at.Epoch))) return true;
        if (await allocator.Claim(at) is { } placed) links.TryAdd((call.Slot, at.Epoch), placed.Link);
        else if (Now < AdoptWithin && !await allocator.HasMoved(at)) return false;
        else if (call.Assignment == at) call.Unassign();
        return true;
    }

    private async Task<bool> Assign(SlotCall call, string? avoid)
    {
        if ((await TakeOffer(call.Slot) ?? await Place(call, avoid, moves: false)) is not { } assignment) return false;
        call.Assign(assignment);
        return true;
    }

    /// <summary>Makes the move that is wanted, before anybody breaks with the node that serves. False: it did not come about; try again later.</summary>
    private async Task<bool> Move(SlotCall call)
    {
        // One at a time: nobody should be on three nodes.
        if (!call.MoveWanted || call.Current is not { } from || call.Leaving is not null) return true;
        string? avoid = null;
        for (var failed = 0; failed < MaxFailedMoves; failed++)
        {
            call.BeginMove();
            if (await Place(call, avoid, moves: true) is not { } to)
            {
                // There is nowhere to go: the allocator asks again while it wants to be asked.
                call.Abandon();
                call.MoveWanted = false;
                return true;
            }

            var hold = call.Prepare(to);
            if (await Push(call.Slot, hold))
            {
                call.Switch();
                return true;
            }

            if (stopped) return true;

            // It goes on where it is, if that node is still there.
            call.Abandon();
            avoid = to.NodeId;
            await LinkOf(hold).Drop(new GuildDrop(guild, call.Slot, to.Epoch));
            await allocator.Release(guild, call.Slot, to.Epoch);
            if (offered.Remove(call.Slot, out var instead)) await allocator.Release(guild, call.Slot, instead.Assignment.Epoch);
            if (call.Current == from && await allocator.Claim(from.Assignment) is null) NodeLost(call.Slot, from.Assignment.Epoch, next: null);
            if (call.Current != from) return false;
        }

        return false;
    }

    /// <summary>Where the allocator put the slot when it lost its node; null: nowhere, or it does not hold.</summary>
    private async Task<Assignment?> TakeOffer(string slot)
    {
        if (!offered.Remove(slot, out var offer)) return null;
        epochs.Seen(offer.Assignment.Epoch - 1);
        var next = offer.Assignment with { Epoch = epochs.Next() };
        if (next.Epoch != offer.Assignment.Epoch && await allocator.Claim(next) is null) return null;
        await epochs.Keep(next.Epoch);
        links[(slot, next.Epoch)] = offer.Link;
        return next;
    }

    /// <summary>The node that serves the slot from now on; null: there is none.</summary>
    private async Task<Assignment?> Place(SlotCall call, string? avoid, bool moves)
    {
        var request = new AssignmentRequest(guild, call.Slot, voice.RegionOf(call.Slot), epochs.Next(), avoid, moves);
        try
        {
            if (await allocator.Assign(request) is not { } placed) return null;
            await epochs.Keep(placed.Assignment.Epoch);
            links[(call.Slot, placed.Assignment.Epoch)] = placed.Link;
            return placed.Assignment;
        }
        catch
        {
            // Nobody was told of it, and nobody will be: the next attempt takes another epoch.
            await allocator.Release(guild, call.Slot, request.Epoch);
            throw;
        }
    }

    /// <summary>False: the node did not acknowledge in time, or is gone.</summary>
    private async Task<bool> Push(string slot, SlotHold hold)
    {
        var key = (slot, hold.Assignment.Epoch);
        for (var pushes = 0; pushes < MaxWholePushes; pushes++)
        {
            if (hold.Push(voice.Wanted(slot)) is not { } update) return true;
            var answer = awaited[key] = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            await LinkOf(hold).Push(update);
            try
            {
                if (!await answer.Task.WaitAsync(AckTimeout, time)) return false;
            }
            catch (TimeoutException)
            {
                return false;
            }

            if (!hold.NeedsWhole) return true;
        }

        return false;
    }

    /// <summary>Clients know where to go: the former node serves those who are on their way. Its own clock ends it, should we be gone by then.</summary>
    private async Task Leave(SlotCall call, TimeSpan now)
    {
        var former = call.Leaving!;
        call.Leave(now);
        await LinkOf(former).Drop(
            new GuildDrop(guild, call.Slot, former.Assignment.Epoch) { OverlapMillis = (int)SlotCall.Overlap.TotalMilliseconds });
    }

    private async Task Release(SlotCall call)
    {
        var at = call.Assignment;
        call.Unassign();
        if (call.Leaving is { } former)
        {
            call.Left();
            await LinkOf(former).Drop(new GuildDrop(guild, call.Slot, former.Assignment.Epoch, call.Terminated));
        }

        if (at is not null && links.TryGetValue((call.Slot, at.Epoch), out var link)) await link.Drop(new GuildDrop(guild, call.Slot, at.Epoch, call.Terminated));

        // Also without one: the allocator may remember that it lost one, and what comes next is not a move.
        await allocator.Release(guild, call.Slot, at?.Epoch ?? 0);

        // Somebody may have come meanwhile: the next round serves them.
        if (!voice.IsUsed(call.Slot)) voice.Remove(call.Slot);
        offered.Remove(call.Slot);
    }

    private INodeLink LinkOf(SlotHold hold) => links[(hold.Assignment.Slot, hold.Assignment.Epoch)];

    private GuildEvent ServerUpdate(Participant one)
    {
        var at = voice.Slot(one.Slot)?.Assignment;
        Snowflake? call = voice.Data is { Private: true } channel ? channel.Id : null;
        var update = new VoiceServerUpdate(at is null ? "" : TokenFor(one, at), call is null ? guild : null, at?.Endpoint) { ChannelId = call };
        return new GuildEvent(
            "VOICE_SERVER_UPDATE", JsonSerializer.SerializeToUtf8Bytes(update, GatewayJson.Default.VoiceServerUpdate), one.GatewaySession);
    }

    private void Answer(string slot, long epoch, bool held)
    {
        if (awaited.Remove((slot, epoch), out var waiting)) waiting.TrySetResult(held);
    }

    /// <summary>One retry is for all slots.</summary>
    private void RetrySoon()
    {
        if (retry.IsCompleted) retry = Retry();
    }

    private async Task Retry()
    {
        await Task.Delay(RetryAfter, time);
        if (stopped) return;
        voice.Touch();
        _ = Run();
    }

    private async Task WakeAt(TimeSpan when)
    {
        wakeAt = when;

        // Whole milliseconds are waited for, not fewer, and at least one: it may be past by now, and -1 would be for ever.
        await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((when - Now).TotalMilliseconds))), time);
        if (stopped) return;
        if (wakeAt == when) wakeAt = TimeSpan.MaxValue;
        voice.Touch();
        _ = Run();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "voice node {Node} does not acknowledge guild {Guild} (slot '{Slot}')")]
    private partial void LogSilent(string node, ulong guild, string slot);

    [LoggerMessage(Level = LogLevel.Error, Message = "guild {Guild} (slot '{Slot}') could not be served")]
    private partial void LogFailed(Exception e, ulong guild, string slot);
}
