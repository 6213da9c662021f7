using Voice.Protocol.Links;

namespace Voice.Load.Generator;

/// <summary>What the generator counts while a window is open.</summary>
internal sealed class Tally
{
    public long Sent { get; set; }

    /// <summary>The kernel did not take them.</summary>
    public long SendFailed { get; set; }

    /// <summary>Sent later than half a frame after their time: the generator could not keep up.</summary>
    public long SentLate { get; set; }

    /// <summary>Packets that listeners should have got of those sent.</summary>
    public long Expected { get; set; }

    /// <summary>Of those.</summary>
    public long Received { get; set; }

    /// <summary>Came twice.</summary>
    public long Duplicates { get; set; }

    /// <summary>Behind later ones of the same stream.</summary>
    public long Reordered { get; set; }

    /// <summary>Authentic, but not what was sent, or of another room.</summary>
    public long Wrong { get; set; }

    /// <summary>Not authentic, or malformed.</summary>
    public long Refused { get; set; }

    /// <summary>Microseconds from a talker's send to the read of a listener, in buckets of <see cref="LogLinear"/>.</summary>
    public long[] EndToEnd { get; } = new long[LogLinear.Buckets];

    /// <summary>Microseconds that packets were sent after their time, likewise.</summary>
    public long[] Lateness { get; } = new long[LogLinear.Buckets];
}
