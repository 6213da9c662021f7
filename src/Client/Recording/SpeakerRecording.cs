using System.Buffers;
using Voice.Protocol.Ogg;

namespace Voice.Client.Recording;

/// <summary>One talker as an Ogg Opus file: packets in order, at their times, with silence where none came. No file, no clock; one thread at a time.</summary>
/// <param name="output">Gets whole pages, some a second late: packets out of order are waited for.</param>
/// <param name="serial">Of the Ogg stream.</param>
/// <param name="frequency">Of <see cref="ReceivedFrame.Arrival"/>: ticks a second.</param>
public sealed class SpeakerRecording(IBufferWriter<byte> output, uint serial, string speaker, long frequency)
{
    /// <summary>Packets held for one that is missing: 200 ms.</summary>
    private const int MaxHeld = 10;

    /// <summary>Packets that a talker's change of SSRC may leave out: a second of them.</summary>
    private const int MaxMissed = 50;

    /// <summary>RTP does not tell the encoder's delay; libopus has 6.5 ms.</summary>
    private const ushort UsualPreSkip = 312;

    /// <summary>A jump of timestamps is believed up to this difference from the time that has passed; else the talker has begun anew.</summary>
    private static readonly TimeSpan MaxDisagreement = TimeSpan.FromSeconds(5);

    private readonly OggOpusWriter writer = new(output, serial, new OpusHead(Channels: 2, UsualPreSkip), $"TITLE={speaker}");
    private readonly SortedList<ulong, ReceivedFrame> held = new(MaxHeld + 1);
    private uint? ssrc;
    private ulong nextSequence;
    private uint nextTimestamp;
    private long lastArrival;
    private int lastSamples;
    private long owed;

    /// <summary>Packets written, those that fill gaps left out.</summary>
    public long Packets { get; private set; }

    /// <summary>What was not written: came too late, or is not Opus.</summary>
    public long Skipped { get; private set; }

    /// <summary>Length of the file so far.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)writer.Samples / OpusToc.SampleRate);

    public void Take(in ReceivedFrame frame)
    {
        if (frame.Ssrc != ssrc && !GoesOn(frame.Sequence))
        {
            // Another stream of the same talker, who left and came back: its numbers have nothing to do with the last one's.
            Release(all: true);
            nextSequence = frame.Sequence;
            nextTimestamp = frame.Timestamp - (uint)Passed(frame.Arrival);
        }

        ssrc = frame.Ssrc;

        if (frame.Sequence < nextSequence || !held.TryAdd(frame.Sequence, frame)) Skipped++;
        else Release(all: false);
    }

    /// <summary>The call moved to another voice server: one stream with two SSRCs.</summary>
    private bool GoesOn(ulong sequence) => ssrc is not null && sequence + MaxHeld >= nextSequence && sequence <= nextSequence + MaxMissed;

    /// <summary>Writes what is held, and the last page.</summary>
    public void Finish()
    {
        Release(all: true);
        writer.Finish();
    }

    private void Release(bool all)
    {
        while (held.Count > 0 && (all || held.Count > MaxHeld || held.Keys[0] == nextSequence))
        {
            Write(held.Values[0]);
            nextSequence = held.Keys[0] + 1;
            held.RemoveAt(0);
        }
    }

    private void Write(in ReceivedFrame frame)
    {
        if (!OpusToc.TryGetSamples(frame.Payload.Span, out var samples))
        {
            Skipped++;
            return;
        }

        FillGap(frame);
        writer.TryWrite(frame.Payload.Span);
        Packets++;
        nextTimestamp = frame.Timestamp + (uint)samples;
        (lastArrival, lastSamples) = (frame.Arrival, samples);
    }

    /// <summary>With silence in whole frames; what is left over, or was too much, counts with the next gap.</summary>
    private void FillGap(in ReceivedFrame frame)
    {
        var passed = Passed(frame.Arrival);
        long gap = (int)(frame.Timestamp - nextTimestamp);
        if (Math.Abs(gap - passed) > MaxDisagreement.TotalSeconds * OpusToc.SampleRate) gap = passed;
        for (owed += gap; owed >= OpusToc.SilenceSamples; owed -= OpusToc.SilenceSamples) writer.TryWrite(OpusToc.SilenceFrame);
    }

    /// <summary>Samples that went by since the last packet was over.</summary>
    private long Passed(long arrival) =>
        lastSamples == 0 ? 0 : Math.Max(0, (long)((double)(arrival - lastArrival) / frequency * OpusToc.SampleRate) - lastSamples);
}
