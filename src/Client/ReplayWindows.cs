using Voice.Protocol.Srtp;

namespace Voice.Client;

/// <summary>The replay window of each stream of the UDP protocol, which has none of its own (protocol/udp-media.md section 5.2). One thread.</summary>
internal sealed class ReplayWindows
{
    private const int MaxStreams = 4096;

    private readonly Dictionary<uint, ReplayWindow> streams = [];

    /// <summary>Extends an authenticated packet's sequence number and remembers it; false for a replay.</summary>
    public bool TryTake(uint ssrc, ushort sequence, out ulong index)
    {
        index = sequence;
        var known = streams.TryGetValue(ssrc, out var window);
        if (!known && streams.Count == MaxStreams) return false;
        if (known && !Rollover.TryGuess(window.Highest, sequence, out index)) return false;
        if (window.Check(index) != ReplayVerdict.Fresh) return false;
        window.Commit(index);
        streams[ssrc] = window;
        return true;
    }
}
