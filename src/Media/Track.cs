using Voice.Media.Checkpoints;
using Voice.Media.Rings;
using Voice.Media.Rtcp;
using Voice.Protocol.Links;
using Voice.Protocol.Rtp;

namespace Voice.Media;

/// <summary>One incoming stream, on its sender's worker. It is normalised here, once for all listeners on whichever worker: one numbering and
/// one clock, which go on over what is dropped for everybody, over a sender's pauses, and when the sender begins anew.</summary>
public sealed class Track
{
    /// <summary>What its checkpoint holds besides its <see cref="Timeline"/>: the offset, and the sender's SSRC.</summary>
    private const int Source = 5;

    private readonly Checkpoint checkpoint;
    private Timeline timeline;
    private TrackIndex numbers;
    private uint sourceOffset;
    private bool rebased;

    /// <param name="checkpoint">An earlier process's, where its clock then goes on, or a new one.</param>
    internal Track(PutTrack put, Transport sender, Checkpoint checkpoint)
    {
        this.checkpoint = checkpoint;
        Sender = sender;
        Group = put.Group;
        Fanout = new(put.Ssrc, put.Kind, put.ClockRate, sender.Id);
        Reception = new(put.ClockRate);
        timeline = Timeline.Resume(put.ClockRate, checkpoint);
        (sourceOffset, SenderSsrc) = (Checkpoint.High(checkpoint[Source]), Checkpoint.Low(checkpoint[Source]));
        if (put.SenderSsrc != 0) SetSource(put.SenderSsrc);
    }

    /// <summary>Ours: names it on the media link.</summary>
    public uint Ssrc => Fanout.Ssrc;

    public Transport Sender { get; }

    /// <summary>The sender's own; 0 until learned.</summary>
    public uint SenderSsrc { get; private set; }

    /// <summary>As the link names it; 0: none.</summary>
    internal uint Group { get; }

    /// <summary>The listeners on this worker.</summary>
    public Fanout Fanout { get; }

    internal Reception Reception { get; private set; }

    /// <summary>To the listeners on other workers, by worker.</summary>
    internal List<Relay> Relays { get; } = [];

    /// <summary>The sender sends this track under another SSRC from now on, with a numbering of its own.</summary>
    internal void SetSource(uint senderSsrc)
    {
        if (senderSsrc == SenderSsrc) return;
        if (SenderSsrc != 0)
        {
            rebased = Fanout.Clock.Any;
            Reception = new(Fanout.ClockRate);
            timeline = new(Fanout.ClockRate);
            numbers.Rebase();
        }
        SenderSsrc = senderSsrc;
        SaveSource();
    }

    /// <summary>The packet's timestamp on a clock that does not stop in pauses.</summary>
    /// <param name="resumes">The packet is the first after a pause.</param>
    internal uint Normalise(ulong index, uint timestamp, TimeSpan now, out bool resumes)
    {
        resumes = false;
        if (Sender.ClockPauses)
        {
            timestamp = timeline.Normalise(index, timestamp, now, out resumes);
            timeline.Save(checkpoint);
        }
        if (rebased)
        {
            sourceOffset = Fanout.Clock.Following(now) - timestamp;
            rebased = false;
            SaveSource();
        }
        return timestamp + sourceOffset;
    }

    /// <summary>The packet's number; false for one that is too late for it.</summary>
    internal bool TryNumber(ulong index, out ulong number) => numbers.TryMap(index, out number);

    /// <summary>A packet of the talker's that nobody is to get: no listener shall see a gap.</summary>
    internal void Skip(ulong index) => numbers.Skip(index);

    /// <summary>What the sender says of its clock.</summary>
    internal void Report(in SenderReport sent, TimeSpan now)
    {
        Reception.Report(sent, now);
        if (rebased) return; // where its clock is in ours, its first packet will tell
        var timestamp = timeline.Normalise(sent.RtpTimestamp) + sourceOffset;
        Fanout.Clock.Report(timestamp, now);
        foreach (var relay in Relays) relay.Report(timestamp, now);
    }

    /// <summary>To the listeners on another worker, in place of an earlier relay there.</summary>
    internal void Put(Relay relay)
    {
        DropRelay(relay.Worker);
        Relays.Add(relay);
    }

    internal void DropRelay(int worker) => Relays.RemoveAll(relay => relay.Worker == worker);

    /// <summary>No longer there, ever.</summary>
    internal void Forget(WorkerCheckpoints checkpoints) => checkpoints.Remove(checkpoint);

    private void SaveSource() => checkpoint.Set(Source, Checkpoint.Pair(sourceOffset, SenderSsrc));
}
