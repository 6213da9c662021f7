using System.Threading.Channels;
using Voice.Protocol;
using Voice.Protocol.Ogg;
using Voice.Protocol.Rtp;

namespace Voice.Client;

/// <summary>Where received packets go: the application's handler, or a bounded queue that drops the oldest. Any thread: while the call moves from
/// one voice server to the next there are two.</summary>
internal sealed class FrameReceiver
{
    private readonly FrameHandler? handler;
    private readonly TimeProvider time;
    private readonly Channel<ReceivedFrame> queue;
    private readonly Dictionary<Snowflake, HeardTalker> talkers = [];
    private readonly Lock gate = new();
    private readonly long started;
    private long dropped;

    public FrameReceiver(VoiceClientOptions options)
    {
        (handler, time) = (options.OnFrame, options.Time);
        started = time.GetTimestamp();
        queue = Channel.CreateBounded<ReceivedFrame>(
            new BoundedChannelOptions(options.ReceiveQueueLength) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true },
            _ => Interlocked.Increment(ref dropped));
    }

    public long Dropped => Interlocked.Read(ref dropped);

    public ChannelReader<ReceivedFrame> Frames => queue.Reader;

    public void End(Exception? reason) => queue.Writer.TryComplete(reason);

    /// <summary>What the application's handler threw.</summary>
    public VoiceClosedException? Failure { get; private set; }

    /// <param name="session">Number of the session that it came over.</param>
    /// <param name="packet">Plain and authenticated.</param>
    /// <param name="index">Its extended sequence number.</param>
    /// <param name="user">Whose it is; null: the session does not know yet.</param>
    public void Take(int session, in RtpPacket packet, ulong index, Snowflake? user)
    {
        if (!packet.TryGetUnpadded(out var payload) || payload.IsEmpty) return;
        var arrival = time.GetTimestamp();
        var (sequence, timestamp) = (index, packet.Timestamp);
        lock (gate)
        {
            if (user is { } talker)
            {
                OpusToc.TryGetSamples(payload, out var samples);
                var heard = new HeardPacket(session, index, packet.Timestamp, samples, packet.Marker, ContentOf(payload));
                if (!Talker(talker).TryTake(heard, time.GetElapsedTime(started, arrival), out sequence, out timestamp)) return;
            }

            var frame = new ReceivedFrame(user, packet.Ssrc, sequence, timestamp, default, arrival);
            if (handler is null) queue.Writer.TryWrite(frame with { Payload = payload.ToArray() });
            else if (Failure is null) Handle(handler, frame, payload);
        }
    }

    /// <summary>Of nothing, where so little is said that it is often the same.</summary>
    private static int ContentOf(ReadOnlySpan<byte> payload)
    {
        if (payload.Length <= OpusToc.SilenceFrame.Length) return 0;
        var hash = new HashCode();
        hash.AddBytes(payload);
        return hash.ToHashCode();
    }

    private HeardTalker Talker(Snowflake user)
    {
        if (talkers.TryGetValue(user, out var known)) return known;
        if (talkers.Count >= Roster.Max) talkers.Clear(); // more than any channel has
        return talkers[user] = new HeardTalker();
    }

    private void Handle(FrameHandler handler, in ReceivedFrame frame, ReadOnlySpan<byte> payload)
    {
        try
        {
            handler(frame, payload);
        }
        catch (Exception e)
        {
            Failure = new VoiceClosedException(null, $"OnFrame failed: {e.Message}", e);
        }
    }
}
