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

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private const int MaxFailedPushes = 4;
    private const int MaxWholePushes = 3;

    private readonly Dictionary<string, INodeLink> links = [];
    private readonly Dictionary<string, Placed> offered = [];
    private readonly Dictionary<string, TaskCompletionSource<bool>> awaited = [];
    private readonly long started = time.GetTimestamp();
    private Task running = Task.CompletedTask;
    private Task retry = Task.CompletedTask;
    private TimeSpan wakeAt = TimeSpan.MaxValue;

    /// <summary>The clock that <see cref="GuildVoice"/> is told.</summary>
    public TimeSpan Now => time.GetElapsedTime(started);

    /// <summary>Done when all that is wanted now is carried out, as far as it can be.</summary>
    public Task Run() => running.IsCompleted ? running = RunRounds() : running;

    public void Acknowledged(GuildAck ack)
    {
        if (voice.Slot(ack.Slot) is not { Assignment: { } at } call) return;
        if (call.Acknowledge(ack))
        {
            voice.Learn(Now, ack);
            Answer(ack.Slot, true);
        }
        else if (ack.Epoch > at.Epoch)
        {
            // The node remembers a later assignment than we do (our database was put back): count on from there.
            epochs.Seen(ack.Epoch);
            NodeLost(ack.Slot, at.Epoch, next: null);
        }
    }

    /// <param name="next">Where the allocator keeps a place for the slot; null: it has to be asked.</param>
    public void NodeLost(string slot, long epoch, Placed? next)
    {
        if (voice.Slot(slot) is not { } call || call.Assignment?.Epoch != epoch) return;
        call.Unassign();
        if (next is not null) offered[slot] = next;
        voice.Touch();
        Answer(slot, false);
    }

    /// <summary>The node wants to be rid of the slot.</summary>
    public async Task Move(string slot, long epoch)
    {
        if (voice.Slot(slot)?.Assignment is not { } at || at.Epoch != epoch || !links.TryGetValue(slot, out var link)) return;
        var next = new AssignmentRequest(guild, slot, voice.RegionOf(slot), epochs.Next(), Avoid: null, Move: true);
        if (await allocator.Assign(next) is not { } placed) return;
        await link.Drop(new GuildDrop(guild, slot, epoch));
        NodeLost(slot, epoch, placed);
    }

    /// <summary>The node has a new link: a push that was under way goes out again, whole.</summary>
    public void Relinked(string slot, long epoch, INodeLink link)
    {
        if (voice.Slot(slot) is not { } call || call.Assignment?.Epoch != epoch) return;
        links[slot] = link;
        call.Doubt();
        voice.Touch();
        Answer(slot, true);
    }

    /// <summary>A node hosts something that the allocator does not know of. It says so with each report.</summary>
    public async Task Hosted(HostedGuild hosted, string nodeId, INodeLink link)
    {
        epochs.Seen(hosted.Epoch);
        var ours = voice.Slot(hosted.Slot)?.Assignment;
        if (ours is not null && ours.Epoch == hosted.Epoch && ours.NodeId == nodeId)
        {
            if (await allocator.Claim(ours) is not { } held) NodeLost(hosted.Slot, hosted.Epoch, next: null);
            else if (links.TryAdd(hosted.Slot, held.Link)) voice.Touch();
        }
        else await link.Drop(new GuildDrop(hosted.Guild, hosted.Slot, hosted.Epoch));
    }

    public string TokenFor(Participant one, Assignment at) => tokens.Sign(
        new VoiceToken(guild, one.Channel.Value, one.User.Value, one.SessionId, at.NodeId, at.Epoch, at.Slot), time.GetUtcNow());

    private async Task RunRounds()
    {
        // Calls that wait for this turn to end become part of the first round.
        await Task.Yield();
        var now = Now;
        while (voice.TakeDirty())
        {
            var events = voice.TakeStateEvents();
            await Task.WhenAll(voice.Slots.ToArray().Select(Settle));

            // State before server update (gateway.md section 7): one message keeps the order.
            now = Now;
            GuildEvent[] all = [.. events, .. voice.DueServerUpdates(now).Select(ServerUpdate)];
            await publish(all);
        }

        // Of the same moment: what fell due since then is neither given above nor would it be waited for.
        if (voice.NextAnswer(now) is { } next && next < wakeAt) _ = WakeAt(next);
    }

    /// <summary>Brings one slot to where it should be: on a node that has acknowledged its voice states, or nowhere.</summary>
    private async Task Settle(SlotCall call)
    {
        try
        {
            if (!voice.IsUsed(call.Slot)) await Release(call);
            else if (!await Serve(call)) RetrySoon();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(e, guild, call.Slot);
            call.Doubt();
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
            if (call.Assignment is null && !await Assign(call, avoid)) return true;
            if (await Push(call)) return true;
            if (call.Assignment is not { } silent) continue;

            // No answer. Perhaps only the link's gateway is gone: then another link is tried once, and then another node.
            call.Doubt();
            LogSilent(silent.NodeId, guild, call.Slot);
            if (await allocator.Probe(silent.NodeId) && failed == 0 && await allocator.Claim(silent) is { } again)
            {
                links[call.Slot] = again.Link;
            }
            else if (call.Assignment == silent)
            {
                avoid = silent.NodeId;
                await links[call.Slot].Drop(new GuildDrop(guild, call.Slot, silent.Epoch));
                call.Unassign();
            }
        }

        return false;
    }

    /// <summary>Finds the way to the node that the store names. False: it is not there yet.</summary>
    private async Task<bool> Adopt(SlotCall call)
    {
        if (call.Assignment is not { } at || links.ContainsKey(call.Slot)) return true;
        if (await allocator.Claim(at) is { } placed) links.TryAdd(call.Slot, placed.Link);
        else if (Now < AdoptWithin) return false;
        else if (call.Assignment == at) call.Unassign();
        return true;
    }

    private async Task<bool> Assign(SlotCall call, string? avoid)
    {
        if (await TakeOffer(call)) return true;
        var request = new AssignmentRequest(guild, call.Slot, voice.RegionOf(call.Slot), epochs.Next(), avoid);
        try
        {
            if (await allocator.Assign(request) is not { } placed) return false;
            await epochs.Keep(placed.Assignment.Epoch);
            links[call.Slot] = placed.Link;
            call.Assign(placed.Assignment);
            return true;
        }
        catch
        {
            // Nobody was told of it, and nobody will be: the next attempt takes another epoch.
            await allocator.Release(guild, call.Slot, request.Epoch);
            throw;
        }
    }

    /// <summary>Goes where the allocator put the slot when it lost its node, without asking again. False: nothing was offered, or it does not hold.</summary>
    private async Task<bool> TakeOffer(SlotCall call)
    {
        if (!offered.Remove(call.Slot, out var offer)) return false;
        epochs.Seen(offer.Assignment.Epoch - 1);
        var next = offer.Assignment with { Epoch = epochs.Next() };
        if (next.Epoch != offer.Assignment.Epoch && await allocator.Claim(next) is null) return false;
        await epochs.Keep(next.Epoch);
        links[call.Slot] = offer.Link;
        call.Assign(next);
        return true;
    }

    /// <summary>False: the node did not acknowledge in time, or is gone.</summary>
    private async Task<bool> Push(SlotCall call)
    {
        for (var pushes = 0; pushes < MaxWholePushes; pushes++)
        {
            if (call.Push(voice.Wanted(call.Slot)) is not { } update) return true;
            var answer = awaited[call.Slot] = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            await links[call.Slot].Push(update);
            try
            {
                if (!await answer.Task.WaitAsync(AckTimeout, time)) return false;
            }
            catch (TimeoutException)
            {
                return false;
            }

            if (!call.NeedsWhole) return true;
        }

        return false;
    }

    private async Task Release(SlotCall call)
    {
        var at = call.Assignment;
        call.Unassign();
        if (at is not null && links.TryGetValue(call.Slot, out var link)) await link.Drop(new GuildDrop(guild, call.Slot, at.Epoch, call.Terminated));

        // Also without one: the allocator may remember that it lost one, and what comes next is not a move.
        await allocator.Release(guild, call.Slot, at?.Epoch ?? 0);

        // Somebody may have come meanwhile: the next round serves them.
        if (!voice.IsUsed(call.Slot)) voice.Remove(call.Slot);
        links.Remove(call.Slot);
        offered.Remove(call.Slot);
    }

    private GuildEvent ServerUpdate(Participant one)
    {
        var at = voice.Slot(one.Slot)?.Assignment;
        Snowflake? call = voice.Data is { Private: true } channel ? channel.Id : null;
        var update = new VoiceServerUpdate(at is null ? "" : TokenFor(one, at), call is null ? guild : null, at?.Endpoint) { ChannelId = call };
        return new GuildEvent(
            "VOICE_SERVER_UPDATE", JsonSerializer.SerializeToUtf8Bytes(update, GatewayJson.Default.VoiceServerUpdate), one.GatewaySession);
    }

    private void Answer(string slot, bool held)
    {
        if (awaited.Remove(slot, out var waiting)) waiting.TrySetResult(held);
    }

    /// <summary>One retry is for all slots.</summary>
    private void RetrySoon()
    {
        if (retry.IsCompleted) retry = Retry();
    }

    private async Task Retry()
    {
        await Task.Delay(RetryAfter, time);
        voice.Touch();
        _ = Run();
    }

    private async Task WakeAt(TimeSpan when)
    {
        wakeAt = when;

        // Whole milliseconds are waited for, not fewer, and at least one: it may be past by now, and -1 would be for ever.
        await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((when - Now).TotalMilliseconds))), time);
        if (wakeAt == when) wakeAt = TimeSpan.MaxValue;
        voice.Touch();
        _ = Run();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "voice node {Node} does not acknowledge guild {Guild} (slot '{Slot}')")]
    private partial void LogSilent(string node, ulong guild, string slot);

    [LoggerMessage(Level = LogLevel.Error, Message = "guild {Guild} (slot '{Slot}') could not be served")]
    private partial void LogFailed(Exception e, ulong guild, string slot);
}
