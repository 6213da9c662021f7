namespace Voice.Load.Drills;

/// <summary>What a drill is told. The defaults are the full size.</summary>
public sealed record DrillOptions
{
    /// <summary>Program and arguments that come before a command of ours, such as gateway.</summary>
    public required string[] VoiceCommand { get; init; }

    public int Guilds { get; init; } = 200;

    /// <summary>In each guild; the first of them talks all the time.</summary>
    public int People { get; init; } = 5;

    /// <summary>One in so many comes over WebRTC, the others over UDP as native clients do; 0: nobody.</summary>
    public int WebRtcEvery { get; init; } = 5;

    /// <summary>Null: the drill's own, mostly five.</summary>
    public int? Nodes { get; init; }

    /// <summary>Null: one, and three where the drill is about them.</summary>
    public int? Gateways { get; init; }

    /// <summary>From the break on; null: the drill's own.</summary>
    public int? Seconds { get; init; }

    /// <summary>Folder that is left with what every process printed; null: nothing is.</summary>
    public string? Logs { get; init; }

    public int Clients => Guilds * People;
}
