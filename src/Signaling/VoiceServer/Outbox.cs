using Voice.Protocol.Links;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>Something the node's core wants done by whoever has sockets.</summary>
internal abstract record Output;

internal sealed record SendFrame(long Socket, byte[] Frame) : Output;

/// <summary>Frames sent before it still go out.</summary>
internal sealed record CloseSocket(long Socket, VoiceCloseCode Code, string Reason) : Output;

internal sealed record ToMedia(MediaCommand Command) : Output;

/// <param name="Link">The gateway that should hear it; another if that one is gone.</param>
internal sealed record ToGateway(long Link, NodeMessage Message) : Output;

/// <summary>What the core said since somebody looked, in order.</summary>
internal sealed class Outbox
{
    private List<Output> waiting = [];

    public void Add(Output output) => waiting.Add(output);

    public IReadOnlyList<Output> Take()
    {
        var taken = waiting;
        if (taken.Count > 0) waiting = [];
        return taken;
    }
}
