using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What keeps a guild's calls over the death of a silo: its voice is stored once a round before clients are told, and taken up on
/// the next silo.</summary>
public sealed partial class GuildGrain
{
    private const string StateUpdate = "VOICE_STATE_UPDATE";

    /// <summary>After this time every gateway has found a guild that is on another silo now.</summary>
    private static readonly TimeSpan FoundWithin = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(5);

    private readonly StoredState<VoiceRecord> storedVoice = new(voiceState);
    private readonly HashSet<IGuildObserver> welcomed = [];

    /// <summary>What gateways missed that have not found this activation yet; null: nothing can have been missed.</summary>
    private List<GuildEvent>? missed;
    private IGrainTimer? watch;
    private bool unstored;

    private void TakeUp()
    {
        var record = storedVoice.Value;
        if (record.IsEmpty) return;
        missed = [.. record.Untold.Select(state => new GuildEvent(StateUpdate, state, null))];
        voice.Restore(record);
        voice.Refresh(); // the guild may have been stored when its voice was not
        _ = Proceed();
    }

    /// <summary>Tells clients what happened in a round, once it is stored.</summary>
    private async Task Tell(GuildEvent[] events)
    {
        await Store(voice.ToRecord(), events);
        Publish(events);
        if (pump.Now > FoundWithin) missed = null;
        missed?.AddRange(events.Where(IsVoiceState));
    }

    private async Task Store(VoiceRecord record, GuildEvent[] events)
    {
        var stored = storedVoice.Value;
        var changed = !record.SaysTheSame(stored);
        if (changed)
        {
            (stored.External, stored.ExternalRegion) = (record.External, record.ExternalRegion);
            (stored.Assignments, stored.Participants) = (record.Assignments, record.Participants);
            stored.Untold = record.IsEmpty ? [] : [.. events.Where(IsVoiceState).Select(one => one.Data)];
        }

        try
        {
            await storedVoice.Save(changed);
            unstored = false;
        }
        catch (InconsistentStateException)
        {
            // The guild is on another silo by now: what this one says is of the past.
            DeactivateOnIdle();
            throw;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Calls are worth more than that they survive the next crash as well.
            if (!unstored) LogNotStored(e, Id.Value);
            unstored = true;
        }
    }

    /// <summary>A gateway that finds this activation is told what it missed meanwhile.</summary>
    private void Welcome(IGuildObserver gateway)
    {
        if (missed is null || !welcomed.Add(gateway) || missed.Count == 0) return;
        gateway.OnEvents(Id, [.. missed]);
    }

    /// <summary>While anybody is in voice: notices gateways that are gone, and stores what could not be.</summary>
    private void Watch()
    {
        if (voice.IsIdle && !unstored)
        {
            watch?.Dispose();
            watch = null;
        }
        else
        {
            watch ??= this.RegisterGrainTimer(Look, new GrainTimerCreationOptions(WatchPeriod, WatchPeriod) { Interleave = true });
        }
    }

    private Task Look(CancellationToken cancel)
    {
        voice.ExpireOrphans(pump.Now, gateways.IsAlive);
        if (unstored || voice.AwaitsNode) voice.Touch(); // an allocator that was made anew does not know who waits
        return Proceed();
    }

    private static bool IsVoiceState(GuildEvent one) => one is { Type: StateUpdate, OnlySession: null };

    [LoggerMessage(Level = LogLevel.Error, Message = "the voice states of guild {Guild} could not be stored")]
    private partial void LogNotStored(Exception e, ulong guild);
}
