using Voice.Protocol.DiscordUdp;
using Voice.Protocol.Srtp;

namespace Voice.Client;

/// <summary>The replay window of each stream of the UDP protocol, which has none of its own (protocol/udp-media.md section 5.2). One thread.</summary>
internal sealed class ReplayWindows(int max = 4096)
{
    private readonly Dictionary<uint, Stream> streams = [];
    private long packets;

    /// <summary>Extends an authenticated packet's sequence number and remembers it; false for a replay. Where there are too many streams,
    /// the one longest unheard is forgotten.</summary>
    public bool TryTake(uint ssrc, ushort sequence, uint timestamp, out ulong index)
    {
        if (!streams.TryGetValue(ssrc, out var stream)) stream = Add(ssrc);
        if (stream.Window.Check(sequence, timestamp, out index) != ReplayVerdict.Fresh) return false;
        stream.Window.Commit(index, timestamp);
        stream.Heard = ++packets;
        return true;
    }

    private Stream Add(uint ssrc)
    {
        if (streams.Count == max) streams.Remove(streams.MinBy(stream => stream.Value.Heard).Key);
        var stream = new Stream();
        streams.Add(ssrc, stream);
        return stream;
    }

    private sealed class Stream
    {
        public SequenceWindow Window;
        public long Heard;
    }
}
