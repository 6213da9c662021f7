using System.Collections.Concurrent;
using System.Diagnostics;
using Voice.Client;
using Voice.Protocol;

namespace Voice.Commands.Clients;

/// <summary>One row of who is there.</summary>
internal sealed record Person(Snowflake Id, string Name, bool Speaks, long Packets);

/// <summary>Who is in the channel and when they were last heard. Any thread.</summary>
internal sealed class People
{
    /// <summary>Silent for so long, somebody speaks no more.</summary>
    private static readonly TimeSpan Hangover = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<Snowflake, (long Last, long Packets)> heard = new();

    public void On(VoiceEvent e)
    {
        switch (e)
        {
            case VoiceEvent.ClientConnected joined: heard.TryAdd(joined.User, default); break;
            case VoiceEvent.ClientDisconnected left: heard.TryRemove(left.User, out _); break;
            case VoiceEvent.StateChanged { State: VoiceClientState.Connecting }: heard.Clear(); break; // another server tells anew
        }
    }

    /// <param name="arrival">As <see cref="Stopwatch.GetTimestamp"/> counts; 0 for a frame of silence, which ends speaking at once.</param>
    public void Heard(Snowflake user, long arrival) =>
        heard.AddOrUpdate(user, static (_, at) => (at, 1), static (_, before, at) => (at, before.Packets + 1), arrival);

    /// <summary>By name.</summary>
    public IReadOnlyList<Person> Now(Func<Snowflake, string> nameOf) =>
        [.. heard.Select(p => new Person(p.Key, nameOf(p.Key), p.Value.Last != 0 && Stopwatch.GetElapsedTime(p.Value.Last) < Hangover, p.Value.Packets))
            .OrderBy(p => p.Name, StringComparer.OrdinalIgnoreCase).ThenBy(p => p.Id)];
}
