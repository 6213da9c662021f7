namespace Voice.Load.Drills;

/// <summary>Whose guilds a break concerns.</summary>
internal enum Concern
{
    /// <summary>Of the first node.</summary>
    Node = 0,
    Everybody,
}

/// <summary>A drill: what it needs, what it breaks, and what it says of those whom it breaks.</summary>
internal sealed record Plan(string Name, Func<Scene, CancellationToken, Task> Break)
{
    public Concern Concern { get; init; }

    /// <summary>The guilds concerned get another server. Otherwise nobody does.</summary>
    public bool Moves { get; init; }

    /// <summary>Nobody has to identify anew with a voice server.</summary>
    public bool KeepsSessions { get; init; }

    public int Nodes { get; init; } = 5;

    public int Gateways { get; init; } = 1;

    /// <summary>The first node is behind a network of its own.</summary>
    public bool CutsOff { get; init; }

    /// <summary>Media processes do wrong when asked.</summary>
    public bool Faults { get; init; }

    /// <summary>Of the nodes in turn; the crowd's channels are in the first.</summary>
    public string[] Regions { get; init; } = ["local"];

    /// <summary>At least, from the break on.</summary>
    public int Seconds { get; init; } = 15;

    /// <summary>What ends the break, when all is well again and before the last look.</summary>
    public Func<Scene, CancellationToken, Task>? Mend { get; init; }
}
