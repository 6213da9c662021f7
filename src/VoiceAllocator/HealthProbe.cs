namespace Voice.VoiceAllocator;

/// <summary>What an observer thinks of a node.</summary>
public enum NodeHealth
{
    Healthy,

    /// <summary>Something is late. It keeps its guilds, and gets new ones only where there is no better node.</summary>
    Suspect,

    /// <summary>Its media flows, and its signalling has said nothing for long: nobody can join there. Its guilds are moved like those of a
    /// node that drains.</summary>
    Mute,

    /// <summary>Its signalling answers, and no media comes back through it.</summary>
    Grey,

    /// <summary>Nothing comes back.</summary>
    Dead,

    /// <summary>Came back, or started anew, and has to show for a while that it stays.</summary>
    Probation,
}

/// <summary>One observer's view of one node, from what comes back on two paths: the control link, and media that its SFU forwards back. Told
/// the time (an <see cref="ObserverClock"/>'s), never asks. docs/reliability.md has the picture, decision 0010 why the times are these.</summary>
public sealed class HealthProbe(HealthTimes? times = null)
{
    /// <summary>A node is pinged, and its media probed, so often.</summary>
    public static readonly TimeSpan ProbePeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Its media is probed so often while it is doubted.</summary>
    public static readonly TimeSpan DoubtedPeriod = TimeSpan.FromMilliseconds(20);

    /// <summary>Silence of either path after which the node is doubted: a ping and some more.</summary>
    public static readonly TimeSpan DoubtedAfter = TimeSpan.FromMilliseconds(400);

    /// <summary>Silence of both paths after which a node is dead.</summary>
    public static readonly TimeSpan DeadAfter = TimeSpan.FromMilliseconds(750);

    /// <summary>The same where the link broke, instead of falling silent: what a node gets to dial again.</summary>
    public static readonly TimeSpan RedialWithin = TimeSpan.FromMilliseconds(500);

    /// <summary>Silence of the control link after which a node is dead whose media was never seen to work. There is nothing to hold a TCP
    /// connection's stalls against.</summary>
    public static readonly TimeSpan DeadAfterAlone = TimeSpan.FromSeconds(1.5);

    /// <summary>Silence of media alone after which a node is grey. A media process that died is back in a fraction of it.</summary>
    public static readonly TimeSpan GreyAfter = TimeSpan.FromSeconds(2);

    /// <summary>Silence of the control link alone after which a node is mute. Calls go on, so there is time for a TCP connection that stalls.</summary>
    public static readonly TimeSpan MuteAfter = TimeSpan.FromSeconds(10);

    /// <summary>Silence of either path that makes a probation begin again.</summary>
    public static readonly TimeSpan Hole = TimeSpan.FromSeconds(1);

    /// <summary>The first probation; each fall doubles the next.</summary>
    public static readonly TimeSpan FirstProbation = TimeSpan.FromSeconds(4);

    public static readonly TimeSpan LongestProbation = TimeSpan.FromMinutes(4);

    /// <summary>A node that did not fall for so long has a clean slate.</summary>
    public static readonly TimeSpan FallsForgottenAfter = TimeSpan.FromMinutes(15);

    private readonly HealthTimes times = times ?? HealthTimes.Usual;
    private readonly HashSet<string> links = [];
    private TimeSpan controlHeard;
    private TimeSpan unlinkedAt;
    private TimeSpan?[] media = [];
    private TimeSpan mediaOpened;
    private int falls;
    private TimeSpan fellAt;
    private TimeSpan cleanSince;

    public NodeHealth Health { get; private set; }

    public bool IsLinked => links.Count > 0;

    /// <summary>When it was last linked: now, if it is.</summary>
    public TimeSpan LinkedAt(TimeSpan now) => IsLinked ? now : unlinkedAt;

    /// <summary>When it last became dead or grey.</summary>
    public TimeSpan FellAt => fellAt;

    /// <summary>How long the next probation is, or the one that runs.</summary>
    public TimeSpan Probation =>
        TimeSpan.FromTicks(Math.Min(times.FirstProbation.Ticks << Math.Clamp(falls - 1, 0, 16), LongestProbation.Ticks));

    public void LinkUp(string link, TimeSpan now)
    {
        links.Add(link);
        controlHeard = now;
    }

    public void LinkLost(string link, TimeSpan now)
    {
        if (links.Remove(link) && !IsLinked) unlinkedAt = now;
    }

    /// <summary>Anything came over a link of the node.</summary>
    public void Heard(TimeSpan now)
    {
        if (IsLinked) controlHeard = now;
    }

    /// <summary>From now on media is sent through the node's workers. Until something has come back from one, its silence says nothing but
    /// that it is not proven.</summary>
    public void MediaOpened(int workers, TimeSpan now)
    {
        if (media.Length == workers) return;
        media = new TimeSpan?[workers];
        mediaOpened = now;
    }

    /// <summary>Media came back from a worker.</summary>
    public void MediaHeard(int worker, TimeSpan now)
    {
        if (worker < media.Length) media[worker] = now;
    }

    /// <summary>Media is not sent through the node any more: its silence says nothing.</summary>
    public void MediaClosed() => media = [];

    /// <summary>Another process has the node's name: what the former one did counts, what it sent does not.</summary>
    public void Restarted(TimeSpan now)
    {
        links.Clear();
        MediaClosed();
        if (Health is not (NodeHealth.Dead or NodeHealth.Grey)) Fall(now);
        EnterProbation(now);
    }

    /// <summary>Judges. Call it every 50 ms or so.</summary>
    public NodeHealth Tick(TimeSpan now)
    {
        var seen = Look(now);
        var isDown = seen is NodeHealth.Dead or NodeHealth.Grey;
        switch (Health)
        {
            case NodeHealth.Dead or NodeHealth.Grey:
                if (isDown) Health = seen;
                else EnterProbation(now);
                break;
            case NodeHealth.Probation when !isDown:
                if (now - Oldest() >= Hole) cleanSince = now;
                if (seen == NodeHealth.Healthy && now - cleanSince >= Probation) Health = seen;
                break;
            default:
                if (isDown) Fall(now);
                Health = seen;
                break;
        }

        if (Health == NodeHealth.Healthy && now - fellAt >= FallsForgottenAfter) falls = 0;
        return Health;
    }

    /// <summary>What the silences of this moment mean, whatever was before.</summary>
    private NodeHealth Look(TimeSpan now)
    {
        var control = now - controlHeard;
        TimeSpan? newest = null;

        // The worker that is heard least: people are on all of them. One that was never heard is not proven, which is no reason to evict.
        var worst = now;
        foreach (var heard in media)
        {
            if (newest is null || heard > newest) newest = heard;
            if (heard < worst) worst = heard.Value;
        }

        if (newest is not { } lastMedia) return LookAlone(control, now);

        var lastSign = lastMedia > controlHeard ? lastMedia : controlHeard;
        var sinceRedial = now - (unlinkedAt > lastSign ? unlinkedAt : lastSign);
        if (now - lastSign >= times.DeadAfter || (!IsLinked && sinceRedial >= RedialWithin)) return NodeHealth.Dead;
        if (now - worst >= times.GreyAfter) return NodeHealth.Grey;
        if (control >= MuteAfter) return NodeHealth.Mute;
        var isDoubted = !IsLinked || control >= times.DoubtedAfter || now - worst >= times.DoubtedAfter || IsUnproven(now);
        return isDoubted ? NodeHealth.Suspect : NodeHealth.Healthy;
    }

    private NodeHealth LookAlone(TimeSpan control, TimeSpan now)
    {
        if (control >= DeadAfterAlone) return NodeHealth.Dead;
        return !IsLinked || control >= times.DoubtedAfter || IsUnproven(now) ? NodeHealth.Suspect : NodeHealth.Healthy;
    }

    private bool IsUnproven(TimeSpan now) => media.Contains(null) && now - mediaOpened >= times.GreyAfter;

    private TimeSpan Oldest() => media.Min() is { } heard && heard < controlHeard ? heard : controlHeard;

    private void Fall(TimeSpan now)
    {
        falls++;
        fellAt = now;
    }

    private void EnterProbation(TimeSpan now)
    {
        Health = NodeHealth.Probation;
        cleanSince = now;
    }
}
