using Voice.Load.Linux;
using Voice.Load.Server;

namespace Voice.Load;

/// <summary>What a bench is told.</summary>
public sealed record BenchOptions
{
    /// <summary>Program and arguments that start a media process.</summary>
    public required string[] MediaCommand { get; init; }

    public LoadTransport Transport { get; init; }

    /// <summary>Bytes of each Opus packet; null: the sample's own frames.</summary>
    public int? PayloadBytes { get; init; } = 100;

    /// <summary>On and off as people talk, instead of always on.</summary>
    public bool Speech { get; init; }

    /// <summary>Null: three for saturate and stage, one for the others.</summary>
    public int? Runs { get; init; }

    /// <summary>Seconds that are measured; null: the scenario's own.</summary>
    public int? Seconds { get; init; }

    /// <summary>A few seconds and few people: for whether it counts right, not for how fast it is.</summary>
    public bool Quick { get; init; }

    /// <summary>Of the media process, each a core.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Of a stage.</summary>
    public int Listeners { get; init; } = 100;

    /// <summary>Open at once in loudest.</summary>
    public int Microphones { get; init; } = 50;

    /// <summary>Who are heard at a time of those.</summary>
    public int Loudest { get; init; } = 5;

    /// <summary>Who join at once in a storm.</summary>
    public int Joins { get; init; } = 1000;

    /// <summary>In a soak, and the most that saturate adds.</summary>
    public int? Participants { get; init; }

    /// <summary>Of a soak.</summary>
    public int Minutes { get; init; } = 10;

    /// <summary>A peer's driver, to run the same against (bench/peers/README.md): a file, or the name of one of ours.</summary>
    public string? Against { get; init; }

    public bool MeasuresFloor { get; init; } = true;

    /// <summary>Where the server is; null: on loopback.</summary>
    internal NetworkNamespace? Network { get; init; }

    /// <summary>Of each room only so many are heard at a time; null: everybody.</summary>
    internal int? Group { get; init; }

    /// <summary>A peer's driver, instead of our media process.</summary>
    internal string? Driver { get; init; }
}
