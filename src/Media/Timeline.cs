using Voice.Media.Rtcp;

namespace Voice.Media;

/// <summary>A native sender's clock, made to run through its pauses: such a sender stops when it is silent and goes on later with the
/// next sequence and the next timestamp, while a browser's jitter buffer takes timestamps for time. So what the
/// timestamps lack after a pause is added, in whole frames, from then on. Packets keep their order.</summary>
internal struct Timeline(uint clockRate)
{
    /// <summary>A packet may be this late without being taken for the first after a pause.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(200);

    private readonly uint frame = clockRate / 50;
    private readonly uint tolerance = NtpTime.ToRtp(Tolerance, clockRate);
    private ulong newest;
    private ulong resumed;
    private uint last;
    private TimeSpan lastArrival;
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
            var missing = (now - lastArrival).Ticks * clockRate / TimeSpan.TicksPerSecond - (int)(timestamp - last);
            resumes = missing > tolerance;
            if (resumes)
            {
                (offsetBefore, resumed) = (offset, index);
                offset += (uint)(missing / frame * frame);
            }
        }
        (newest, last, lastArrival, any) = (index, timestamp, now, true);
        return timestamp + offset;
    }

    /// <summary>Another reading of the sender's clock, such as a report's.</summary>
    public readonly uint Normalise(uint timestamp) => timestamp + offset;
}
