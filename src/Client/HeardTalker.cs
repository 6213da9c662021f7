using Voice.Protocol.Ogg;

namespace Voice.Client;

/// <summary>What one talker says, out of one voice session or, while the call moves from a voice server to the next, of two: each packet once,
/// numbered through. A talker that sends the same packets to both servers gives them the same timestamps, and the SFU keeps those. So there is
/// a cut: what was said before it is taken from the former session, what comes after from the next one. It is made at the first packet by which the
/// next session is ahead. A talker that has another clock on each server (a browser has, with two peer connections) is heard over the next session
/// from its first packet there. Told the time; one thread at a time.</summary>
internal sealed class HeardTalker
{
    /// <summary>Timestamps this close are of one clock: by chance that is once in some ten thousand.</summary>
    private const int Near = OpusToc.SampleRate;

    /// <summary>Packets that are known again by their timestamps: more than a second of them.</summary>
    private const int Remembered = 64;

    /// <summary>By the next session's clock a packet may seem to be said before the former's last one, without being its copy: then what the former
    /// says is waited for, and when nothing came for so long, nothing will.</summary>
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMilliseconds(60);

    private readonly uint[] recent = new uint[Remembered];
    private uint heardPackets;
    private int session = -1;
    private int former = -1;
    private ulong shift;
    private ulong formerShift;
    private uint cut;
    private uint last;
    private ulong lastSequence;
    private TimeSpan heard;

    /// <summary>False: it came over the other session, or will.</summary>
    /// <param name="from">Number of the session: a later one has a higher.</param>
    /// <param name="index">The packet's extended sequence number in its session.</param>
    /// <param name="samples">How long it plays, at 48 kHz.</param>
    /// <param name="begins">The first after a pause.</param>
    /// <param name="sequence">Its number for whoever reads: it goes on where the timestamps do.</param>
    public bool TryTake(int from, ulong index, uint timestamp, int samples, bool begins, TimeSpan now, out ulong sequence)
    {
        sequence = 0;
        var ahead = unchecked((int)(timestamp - last));
        if (from < session)
        {
            // Still under way when the cut was made.
            sequence = unchecked(index + formerShift);
            return from == former && unchecked((int)(timestamp - cut)) is < 0 and > -Near;
        }

        var isLate = ahead is <= 0 and > -Near;
        if (from > session)
        {
            if (session >= 0 && isLate && (IsCopy(timestamp) || now - heard < MaxSkew)) return false;
            Cut(from, index, timestamp, session >= 0 && ahead is > 0 and < Near, begins || samples <= 0 ? 1 : Math.Max(1, (ahead + (samples / 2)) / samples));
            isLate = false;
        }
        else if (former >= 0 && unchecked((int)(timestamp - cut)) is < 0 and > -Near)
        {
            return false;
        }

        sequence = unchecked(index + shift);
        recent[heardPackets++ % Remembered] = timestamp;
        if (!isLate) (last, lastSequence, heard) = (timestamp, sequence, now);
        return true;
    }

    private bool IsCopy(uint timestamp) => recent.AsSpan(0, (int)Math.Min(heardPackets, Remembered)).Contains(timestamp);

    /// <param name="goesOn">By the clock of the former session.</param>
    /// <param name="steps">Packets since its last one.</param>
    private void Cut(int from, ulong index, uint timestamp, bool goesOn, int steps)
    {
        (former, formerShift) = (goesOn ? session : -1, shift);
        shift = goesOn ? unchecked(lastSequence + (ulong)steps - index) : 0;
        (session, cut) = (from, timestamp);
    }
}
