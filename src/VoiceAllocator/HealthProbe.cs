namespace Voice.VoiceAllocator;

/// <summary>Whether a node lives, judged by what was heard of it on its links. Told the time, never asks.</summary>
public sealed class HealthProbe
{
    /// <summary>Silence after which a node counts as gone. It is pinged and reports every second.</summary>
    public static readonly TimeSpan GoneAfter = TimeSpan.FromSeconds(3);

    private readonly HashSet<string> links = [];
    private TimeSpan heard;

    public void LinkUp(string link, TimeSpan now)
    {
        links.Add(link);
        heard = now;
    }

    /// <summary>A broken link is a fact, not a suspicion: with its last link the node is gone at once.</summary>
    public void LinkLost(string link) => links.Remove(link);

    /// <summary>A pong, a report or any other message came in.</summary>
    public void Heard(TimeSpan now) => heard = now;

    public bool IsAlive(TimeSpan now) => links.Count > 0 && now - heard <= GoneAfter;
}
