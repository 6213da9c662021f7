using Voice.Protocol.Links;

namespace Voice.Media;

/// <summary>One track to one listener.</summary>
public sealed class Subscription(Fanout fanout, Transport listener, EgressStream stream)
{
    public Fanout Fanout { get; } = fanout;

    public Transport Listener { get; } = listener;

    /// <summary>The SSRC and the numbering that the listener sees.</summary>
    public EgressStream Stream { get; } = stream;

    /// <summary>Forwards when none is set.</summary>
    public Gates Gates { get; internal set; }
}
