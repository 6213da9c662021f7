using Voice.Protocol.Links;

namespace Voice.Signaling.Gateway.Guilds;

/// <summary>What outlives the silo that a guild is on, and how its calls are taken up again.</summary>
public sealed partial class GuildVoice
{
    /// <summary>How long somebody whose gateway is gone keeps their place in voice. They come back on another one, and where they bring
    /// their voice session along, nobody notices (docs/decisions/0012).</summary>
    public static readonly TimeSpan OrphanGrace = TimeSpan.FromSeconds(30);

    /// <summary>A slot that is used has no voice server.</summary>
    public bool AwaitsNode => slots.Values.Any(call => call.Assignment is null && IsUsed(call.Slot));

    /// <summary>All of it, but for the events.</summary>
    public VoiceRecord ToRecord() => new()
    {
        External = External,
        ExternalRegion = externalRegion,
        Assignments = [.. slots.Values.Select(call => call.Assignment).OfType<VoiceAllocator.Assignment>()],
        Participants = [.. participants.Values.OrderBy(one => one.User).Select(one => one.ToRecord())],
    };

    /// <summary>Takes up where another silo left off. Nodes that host a call are asked to go on; whether clients are connected to them shows then.</summary>
    public void Restore(VoiceRecord record)
    {
        External = record.External;
        externalRegion = record.ExternalRegion;
        foreach (var one in record.Participants) participants[one.User] = Participant.From(one);
        foreach (var slot in participants.Values.SelectMany(one => new[] { one.Slot, one.FormerSlot }).OfType<string>().Concat(record.Assignments.Select(at => at.Slot)).Distinct()) Use(slot);
        if (External) Use("");
        foreach (var at in record.Assignments) slots[at.Slot].Assign(at);
    }

    /// <summary>A node that has taken a whole update says whose voice sessions it has.</summary>
    public void Learn(TimeSpan now, GuildAck ack)
    {
        if (ack.Connected is not { } connected || Slot(ack.Slot)?.Assignment?.Epoch != ack.Epoch) return;
        var live = connected.ToHashSet();
        foreach (var one in participants.Values.Where(one => one.Slot == ack.Slot && one.Connection == VoiceConnection.Unknown))
        {
            one.LiveSince = now;
            if (live.Contains(one.User.Value)) one.Connection = VoiceConnection.Live;
            else LoseLive(now, one, VoiceConnection.Lost);
        }
    }

    /// <summary>Whoever's gateway is gone for longer than <see cref="OrphanGrace"/> leaves. Call it every few seconds.</summary>
    /// <param name="isAlive">Whether a gateway process is in the cluster.</param>
    public void ExpireOrphans(TimeSpan now, Func<string, bool> isAlive)
    {
        foreach (var one in participants.Values.Where(one => one is { GatewaySession: not null, Gateway: not null }).ToArray())
        {
            one.OrphanedAt = isAlive(one.Gateway!) ? null : one.OrphanedAt ?? now;
            if (now - one.OrphanedAt >= OrphanGrace) Leave(one);
        }
    }
}
