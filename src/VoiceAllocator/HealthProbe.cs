namespace Voice.VoiceAllocator;

/// <summary>Whether a node lives, judged by what was heard of it on its links. Told the time, never asks.</summary>
public sealed class HealthProbe
{
    /// <summary>Silence after which a node counts as gone. It is pinged and reports every second.</summary>
    public static readonly TimeSpan GoneAfter = TimeSpan.FromSeconds(3);

    /// <summary>What a node gets to dial again after its last link broke: a link that is lost for a moment moves no call.</summary>
    public static readonly TimeSpan RedialWithin = TimeSpan.FromSeconds(1.5);

    private readonly HashSet<string> links = [];
    private TimeSpan goneAt;

    /// <summary>False: nothing can be sent to it.</summary>
    public bool IsLinked => links.Count > 0;

    public void LinkUp(string link, TimeSpan now)
    {
        links.Add(link);
        Heard(now);
    }

    public void LinkLost(string link, TimeSpan now)
    {
        if (!links.Remove(link) || IsLinked) return;
        if (now + RedialWithin < goneAt) goneAt = now + RedialWithin;
    }

    /// <summary>A pong, a report or any other message came in.</summary>
    public void Heard(TimeSpan now)
    {
        if (IsLinked) goneAt = now + GoneAfter;
    }

    public bool IsAlive(TimeSpan now) => now <= goneAt;
}
