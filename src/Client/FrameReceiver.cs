using System.Threading.Channels;
using Voice.Protocol.Rtp;

namespace Voice.Client;

/// <summary>Where received packets go: the application's handler, or a bounded queue that drops the oldest.</summary>
internal sealed class FrameReceiver
{
    private readonly FrameHandler? handler;
    private readonly TimeProvider time;
    private readonly Channel<ReceivedFrame> queue;
    private long dropped;

    public FrameReceiver(VoiceClientOptions options)
    {
        (handler, time) = (options.OnFrame, options.Time);
        queue = Channel.CreateBounded<ReceivedFrame>(
            new BoundedChannelOptions(options.ReceiveQueueLength) { FullMode = BoundedChannelFullMode.DropOldest, SingleWriter = true },
            _ => Interlocked.Increment(ref dropped));
    }

    public long Dropped => Interlocked.Read(ref dropped);

    public ChannelReader<ReceivedFrame> Frames => queue.Reader;

    public void End(Exception? reason) => queue.Writer.TryComplete(reason);

    /// <summary>What the application's handler threw.</summary>
    public VoiceClosedException? Failure { get; private set; }

    /// <param name="packet">Plain and authenticated.</param>
    /// <param name="index">Its extended sequence number.</param>
    public void Take(in RtpPacket packet, ulong index, Roster roster)
    {
        if (!packet.TryGetUnpadded(out var payload) || payload.IsEmpty) return;
        var frame = new ReceivedFrame(roster.Find(packet.Ssrc), packet.Ssrc, index, packet.Timestamp, default, time.GetTimestamp());
        if (handler is null) queue.Writer.TryWrite(frame with { Payload = payload.ToArray() });
        else if (Failure is null) Handle(handler, frame, payload);
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
