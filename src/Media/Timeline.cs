using Voice.Media.Checkpoints;
using Voice.Media.Rtcp;

namespace Voice.Media;

/// <summary>A native sender's clock, made to run through its pauses: such a sender stops when it is silent and goes on later with the
/// next sequence and the next timestamp, while a browser's jitter buffer takes timestamps for time. So what the
/// timestamps lack after a pause is added, in whole frames, from then on. How much that is, all the time since the first packet tells and
/// not the pause alone: what was added too much (a stalled network looks like a pause, until what it held back comes at once) or too little
/// (less than a frame, or a pause too short to be seen) is made up for in the next pause. Packets keep their order.</summary>
internal struct Timeline(uint clockRate)
{
    /// <summary>A packet may be this late without being taken for the first after a pause.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(200);

    /// <summary>Timestamps so far ahead are no stall's: the sender has set its clock, and time is counted anew.</summary>
    private static readonly TimeSpan MaxLead = TimeSpan.FromSeconds(5);

    private readonly uint frame = clockRate / 50;
    private readonly uint tolerance = NtpTime.ToRtp(Tolerance, clockRate);
    private ulong newest;
    private ulong resumed;
    private uint last;
    private TimeSpan lastArrival;
    private TimeSpan anchor;
    private long passed; // since the anchor, in ticks of the clock, by the timestamps that were given out
    private uint offset;
    private uint offsetBefore;
    private bool any;

    /// <param name="index">48 bits; in any order.</param>
    /// <param name="resumes">The packet is the first after a pause.</param>
    public uint Normalise(ulong index, uint timestamp, TimeSpan now, out bool resumes)
    {
        resumes = false;
        // A late packet belongs where it would have been.
        if (any && index <= newest) return timestamp + (index < resumed ? offsetBefore : offset);
        if (any)
        {
            long step = (int)(timestamp - last);
            var missing = Ticks(now - lastArrival) - step;
            resumes = missing > tolerance;
            if (resumes)
            {
                var behind = Ticks(now - anchor) - (passed + step);
                if (behind < -Ticks(MaxLead)) (anchor, passed, behind) = (now, -step - missing, missing);
                // Forward, even where the sender's own timestamps went back.
                var added = Math.Max(Math.Max(behind, frame - step), 0) / frame * frame;
                (offsetBefore, resumed) = (offset, index);
                offset += (uint)added;
                passed += added;
            }
            passed += step;
        }
        else anchor = now;
        (newest, last, lastArrival, any) = (index, timestamp, now, true);
        return timestamp + offset;
    }

    /// <summary>What <see cref="Resume"/> needs, in the first five words.</summary>
    public readonly void Save(Checkpoint checkpoint)
    {
        checkpoint.Set(1, Checkpoint.Pair(offset, last));
        checkpoint.Set(2, (ulong)lastArrival.Ticks);
        checkpoint.Set(3, (ulong)anchor.Ticks);
        checkpoint.Set(4, (ulong)passed);
        checkpoint.Set(0, newest + 1); // 0: there was no packet
    }

    /// <summary>Goes on where another process stopped, if it had begun.</summary>
    public static Timeline Resume(uint clockRate, Checkpoint left)
    {
        if (left[0] == 0) return new(clockRate);
        var offset = Checkpoint.High(left[1]);
        return new(clockRate)
        {
            newest = left[0] - 1,
            last = Checkpoint.Low(left[1]),
            lastArrival = TimeSpan.FromTicks((long)left[2]),
            anchor = TimeSpan.FromTicks((long)left[3]),
            passed = (long)left[4],
            offset = offset,
            offsetBefore = offset,
            any = true,
        };
    }

    // In two parts, since a product of years would not fit.
    private readonly long Ticks(TimeSpan duration) =>
        duration.Ticks / TimeSpan.TicksPerSecond * clockRate + duration.Ticks % TimeSpan.TicksPerSecond * clockRate / TimeSpan.TicksPerSecond;

    /// <summary>Another reading of the sender's clock, such as a report's.</summary>
    public readonly uint Normalise(uint timestamp) => timestamp + offset;
}
