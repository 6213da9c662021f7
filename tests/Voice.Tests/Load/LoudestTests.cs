using Voice.Load.Generator;
using Voice.Load.Scenarios;
using Xunit;

namespace Voice.Tests.Load;

/// <summary>Who must be heard where only the loudest are, and what was clipped of whom.</summary>
public class LoudestTests
{
    private const int Loud = 25;
    private const int Quiet = 45;
    private const int Noise = 80;

    private readonly Onsets onsets = new(talkers: 4, loudest: 2);
    private readonly Hearing hearing = new(talkers: 4);
    private long frame;

    [Fact]
    public void While_few_speak_everybody_is_owed_from_the_first_frame()
    {
        Say(3, Quiet, Noise, Noise, Noise);
        Say(3, Quiet, Quiet, Noise, Noise);
        Assert.Equal([(0, 0UL), (1, 3UL)], onsets.All.Select(onset => (onset.Slot, onset.First)));
    }

    [Fact]
    public void Where_as_many_speak_one_must_be_clearly_louder()
    {
        Say(3, Quiet, Loud, Noise, Noise);
        Say(3, Quiet, Loud, Quiet - 6, Noise);
        Assert.Equal(2, onsets.All.Count);
        Say(1, Quiet, Loud, Quiet - 7, Noise);
        Assert.Equal((2, 6UL), (onsets.All[^1].Slot, onsets.All[^1].First));
    }

    [Fact]
    public void Who_waited_is_owed_when_another_has_fallen_silent()
    {
        Say(3, Quiet, Quiet, Noise, Noise);
        Say(10, Quiet, Noise, Quiet, Noise);
        Assert.Equal(2, onsets.All.Count);
        Say(1, Quiet, Noise, Quiet, Noise);
        Assert.Equal((2, 13UL), (onsets.All[^1].Slot, onsets.All[^1].First));
    }

    [Fact]
    public void A_pause_within_a_sentence_begins_nothing()
    {
        Say(3, Quiet, Noise, Noise, Noise);
        Say(9, Noise, Noise, Noise, Noise);
        Say(3, Quiet, Noise, Noise, Noise);
        Assert.Equal(14UL, Assert.Single(onsets.All).Last);
        Say(11, Noise, Noise, Noise, Noise);
        Say(1, Quiet, Noise, Noise, Noise);
        Assert.Equal(2, onsets.All.Count);
    }

    [Fact]
    public void What_came_late_of_a_spurt_is_clipped()
    {
        hearing.Hear(0, number: 100, stamp: 3, now: 1);
        hearing.Hear(0, number: 101, stamp: 4, now: 2);
        hearing.Hear(0, number: 102, stamp: 20, now: 3); // nothing is missing: these were left out on purpose
        Assert.Equal(2, ClippedSpeech.Clipped(Spurt(1, 6), hearing.Runs));
        Assert.Equal(0, ClippedSpeech.Clipped(Spurt(3, 6), hearing.Runs));
        Assert.Equal(0, ClippedSpeech.Clipped(Spurt(4, 6), hearing.Runs));
        Assert.Equal(5, ClippedSpeech.Clipped(Spurt(6, 10), hearing.Runs));
        Assert.Equal((3, 3), (hearing.Expected, hearing.Received));
    }

    [Fact]
    public void A_missing_number_is_a_loss_and_not_a_pause()
    {
        hearing.Hear(0, number: ushort.MaxValue, stamp: 3, now: 1);
        hearing.Hear(0, number: 1, stamp: 5, now: 3);
        Assert.Equal((3, 2), (hearing.Expected, hearing.Received));
        Assert.Equal(5UL, Assert.Single(hearing.Runs).Last);
        hearing.Hear(0, number: 0, stamp: 4, now: 4); // late
        Assert.Equal((3, 3), (hearing.Expected, hearing.Received));
    }

    [Fact]
    public void Who_gives_way_and_who_takes_the_place_are_one_stream_at_a_time()
    {
        for (var stamp = 1; stamp <= 3; stamp++)
        {
            hearing.Hear(0, number: (ushort)stamp, (ulong)stamp, now: stamp * 20);
            hearing.Hear(1, number: (ushort)stamp, (ulong)stamp, now: stamp * 20 + 1);
        }

        for (var stamp = 4; stamp <= 6; stamp++)
        {
            hearing.Hear(0, number: (ushort)stamp, (ulong)stamp, now: stamp * 20);
            hearing.Hear(2, number: (ushort)stamp, (ulong)stamp, now: stamp * 20 + 1);
        }

        hearing.Hear(1, number: 4, stamp: null, now: 200); // the silence that ends it
        Assert.Equal(2, ClippedSpeech.MostAtOnce(hearing.Runs));
        Assert.Equal(3, hearing.Runs.Count);
    }

    [Fact]
    public void An_open_microphone_is_never_off_and_speaks_its_share()
    {
        var microphone = new OpenMicrophone(0, 0.1, onsets, new Random(1));
        var levels = Enumerable.Range(0, 200_000).Select(i => microphone.Next((ulong)i, i * Talker.FrameNanoseconds)).ToArray();
        Assert.InRange(levels.Count(level => level >= 0x80) / 200_000.0, 0.09, 0.11);
        Assert.All(levels, level => Assert.True(level >= 0x80 ? (level & 0x7F) < 65 : level is > 65 and < 127));
    }

    private static Onset Spurt(ulong first, ulong last) => new(0, first) { Last = last };

    private void Say(int frames, params int[] levels)
    {
        for (var i = 0; i < frames; i++, frame++)
        {
            for (var slot = 0; slot < levels.Length; slot++) onsets.Say(slot, (ulong)frame, levels[slot], frame * Talker.FrameNanoseconds);
        }
    }
}
